int shown(int x) { return x; }
asm(".section \"___ksymtab_gpl+shown\",\"a\"\n.balign 4\n.long shown - .\n.long __kstrtab_shown - .\n.long __kstrtabns_shown - .\n.previous\n.section \"__ksymtab_strings\",\"aMS\",@progbits,1\n__kstrtab_shown: .asciz \"shown\"\n__kstrtabns_shown: .asciz \"CORE\"\n.previous");
