int shown(int x) { return x; }
int more(int x) { return x + 1; }
asm(".section \"___ksymtab+more\",\"a\"\n.balign 4\n__ksymtab_more: .long more - .\n.long 0\n.long 0\n.previous");
asm(".section \"___ksymtab+shown\",\"a\"\n.balign 4\n__ksymtab_shown: .long shown - .\n.long 0\n.long 0\n.previous");
