/* A constant in .rodata.cst16: only its content counts. */
asm(".section .rodata.cst16,\"aM\",@progbits,16\n.balign 16\nmask: .quad 1, 2\n.previous");
int f(void) { int x; asm volatile("movl mask(%%rip), %0" : "=r"(x)); return x; }
int g(int x) { return x + 1; }
