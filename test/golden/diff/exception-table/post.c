extern int risky(void *);
#define TABLED(target) asm volatile("1: mov (%%rax),%%rbx\n2:\n.pushsection __ex_table,\"a\"\n.balign 4\n.long 1b - .\n.long " target " - .\n.long 3\n.popsection" : : : "rax", "rbx")
void load(void) { TABLED("2b"); }
void load_more(void) { TABLED("1b"); }
