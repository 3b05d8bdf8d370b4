/* BTF id sets were resolved when the kernel was linked. */
int f(int x) { return x + 1; }
asm(".section .BTF_ids,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f\n.previous");
