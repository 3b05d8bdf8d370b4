/* Exit calls of built-in code are never made. */
int f(int x) { return x + 1; }
asm(".section .exitcall.exit,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
