#define __init __attribute__((section(".init.text"), cold, noinline))
static int limit;
int __init start(int x) { limit = x; return limit; }
int run(int x) { return x < limit; }
