/* What no running code has: text for tools, descriptions, what the link discards. */
int f(int x) { return x + 1; }
asm(".section .modinfo,\"a\"\n.asciz \"version=2\"\n.previous");
asm(".section .printk_index,\"aw\"\n.quad 2\n.previous");
asm(".section .discard.reachable,\"a\"\n.long 2\n.previous");
asm(".section .orc_header,\"a\"\n.quad 2\n.previous");
asm(".section __versions,\"a\"\n.quad 2\n.previous");
asm(".section .comment\n.asciz \"compiler 2\"\n.previous");
asm(".section .note.Linux,\"a\"\n.long 2\n.previous");
