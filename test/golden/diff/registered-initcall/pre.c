/* Init calls have been made. */
int f(int x) { return x + 1; }
asm(".section .initcall6.init,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
