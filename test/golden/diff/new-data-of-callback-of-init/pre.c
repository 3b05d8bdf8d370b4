void register_show(int (*show)(int));
static int show(int x) { return x; }
int count(int x) { return x; }
__attribute__((section(".init.text"))) int start(void) { register_show(show); return 0; }
