/* The keys of static call trampolines were read at the start. */
int f(int x) { return x + 1; }
asm(".section .static_call_tramp_key,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
