struct static_key { int enabled; void *entries; };
static struct static_key old_key; extern struct static_key outer_key;
#define BRANCH(key) asm goto("1: .byte 0x0f,0x1f,0x44,0x00,0x00\n.pushsection __jump_table,\"aw\"\n.balign 8\n.long 1b - ., %l[yes] - .\n.quad %c0 + 2 - .\n.popsection" : : "i"(&key) : : yes)
int a(void) { BRANCH(old_key); return 0; yes: return 1; }
int b(void) { BRANCH(outer_key); return 2; yes: return 3; }
