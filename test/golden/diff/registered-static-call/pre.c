/* Trampolines of static calls are rewritten whole by the kernel. */
int f(int x) { return x + 1; }
asm(".section .static_call.text,\"ax\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
