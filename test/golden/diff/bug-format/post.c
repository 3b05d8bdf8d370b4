#define LINE 11
#define WARN(flags) asm volatile("1: ud2\n.pushsection __bug_table,\"aw\"\n2: .long 1b - .\n.long %c3 - .\n.long %c0 - .\n.word %c1\n.word %c2\n.org 2b+16\n.popsection" : : "i"("unit.c"), "i"(LINE), "i"(flags), "i"(""))
void warn(int x) { if (x) WARN(1); }
void other(int x) { if (x > 1) WARN(3); }
