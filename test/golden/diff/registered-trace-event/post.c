/* Trace events were registered at the start. */
int f(int x) { return x + 1; }
asm(".section _ftrace_events,\"aw\"\n.balign 8\n.globl entry_one\nentry_one: .quad f + 1\n.previous");
