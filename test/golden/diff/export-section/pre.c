int one(int x) { return x + 1; }
asm(".section \".export_symbol\",\"a\"\n__export_symbol_one:\n.asciz \"GPL\"\n.asciz \"SPACE\"\n.balign 8\n.quad one\n.previous");
