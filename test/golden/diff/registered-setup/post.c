/* Boot parameters have been read. */
int f(int x) { return x + 1; }
asm(".section .init.setup,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f + 1\n.previous");
