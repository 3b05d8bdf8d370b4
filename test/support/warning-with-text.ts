/**
 * A warning as x86 has it since Linux 7.2 (`__WARN_bug_entry` in arch/x86/include/asm/bug.h): the code has the address of its own entry of the table, and hands it on. C code
 * for a source's first lines; `WARN(flags, text, value)`.
 */
export const WARNING_WITH_TEXT = `
extern void warn_trap(void *entry, ...);
#define WARN(flags, text, value) ({ void *entry; \\
  asm volatile("lea (2f)(%%rip),%0\\n1:\\n.pushsection __bug_table,\\"aw\\"\\n2: .long 1b - .\\n.long %c1 - .\\n.long %c2 - .\\n.word %c3\\n.word %c4\\n.org 2b+16\\n.popsection" \\
    : "=r"(entry) : "i"(text), "i"("unit.c"), "i"(__LINE__), "i"(flags)); warn_trap(entry, value); })
`;
