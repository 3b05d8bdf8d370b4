#define ALT(old, new, feature) asm volatile("661: " old "\n662:\n.pushsection .altinstructions,\"a\"\n.long 661b - .\n.long 663f - .\n.word " #feature "\n.byte 662b-661b\n.byte 664f-663f\n.popsection\n.pushsection .altinstr_replacement,\"ax\"\n663: " new "\n664:\n.popsection")
void steady(void) { ALT("nop; nop; nop", "stac", 5); }
void emptied(void) { ALT("clac", "", 6); }
void fenced(void) { ALT("nop; nop; nop", "lfence", 7); }
