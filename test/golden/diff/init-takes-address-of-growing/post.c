#define __init __attribute__((section(".init.text"), cold, noinline))
int add_all(const int *ids); int outside(int);
static const int ids[] = { 1, 2, 3, 0 };
int __init start(void) { return add_all(ids); }
int run(int x) { return ids[x] + outside(x); }
