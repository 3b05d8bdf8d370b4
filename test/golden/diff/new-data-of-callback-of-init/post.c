void register_show(int (*show)(int));
static int counter;
static int show(int x) { return counter + x; }
int count(int x) { return counter += x; }
__attribute__((section(".init.text"))) int start(void) { register_show(show); return 0; }
