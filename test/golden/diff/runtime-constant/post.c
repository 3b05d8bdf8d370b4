#define RUNTIME_PTR(name) ({ unsigned long value; asm("mov %1,%0\n1:\n.pushsection runtime_ptr_" #name ",\"a\"\n.long 1b - %c2 - .\n.popsection" : "=r"(value) : "i"(0x0123456789abcdefUL), "i"(8)); value; })
#define RUNTIME_SHIFT(x, name) ({ unsigned value = (x); asm("shrl $12,%k0\n1:\n.pushsection runtime_shift_" #name ",\"a\"\n.long 1b - 1 - .\n.popsection" : "+r"(value)); value; })
int same(unsigned long x) { return x > RUNTIME_PTR(limit); }
int code(unsigned long x) { return x >= RUNTIME_PTR(limit) && x < RUNTIME_PTR(top); }
int constant(unsigned long x) { return x > RUNTIME_PTR(top); }
unsigned shifted(unsigned x) { return RUNTIME_SHIFT(x, bits) + 2; }
unsigned no_more(unsigned x) { return x; }
