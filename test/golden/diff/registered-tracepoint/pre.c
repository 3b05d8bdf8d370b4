/* Tracepoints were registered at the start. */
int f(int x) { return x + 1; }
asm(".section __tracepoints,\"aw\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
