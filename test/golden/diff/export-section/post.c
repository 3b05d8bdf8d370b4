int one(int x) { return x + 1; }
int more(int x) { return x + 2; }
asm(".section \".export_symbol\",\"a\"\n__export_symbol_more:\n.asciz \"GPL\"\n.asciz \"SPACE\"\n.balign 8\n.quad more\n.previous");
