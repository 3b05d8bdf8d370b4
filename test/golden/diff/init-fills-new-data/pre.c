#define __init __attribute__((section(".init.text"), cold, noinline))
int __init start(int x) { return x; }
int run(int x) { return x; }
