#define LINE 10
#define WARN(flags, text) ({ void *entry; asm volatile("lea (2f)(%%rip),%0\n1:\n.pushsection __bug_table,\"aw\"\n2: .long 1b - .\n.long %c1 - .\n.long %c2 - .\n.word %c3\n.word %c4\n.org 2b+16\n.popsection" : "=r"(entry) : "i"(text), "i"("unit.c"), "i"(LINE), "i"(flags)); warn_trap(entry, x); })
extern void warn_trap(void *entry, ...);
void same(int x) { if (x) WARN(1, "same %d"); }
void flags(int x) { if (x > 1) WARN(3, "flags %d"); }
void text(int x) { if (x > 2) { WARN(1, "first %d"); WARN(1, "second %d"); } }
void code(int x) { WARN(1, "same %d"); if (x > 4) WARN(1, "other %d"); }
