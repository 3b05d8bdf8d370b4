int outside(int);
static int *table;
int use(int x) { return outside(x) + table[x]; }
static int __attribute__((noinline)) prepare(int x) { static int room[4]; table = room; return outside(x) + 1; }
int __attribute__((section(".init.text"))) start(int x) { return prepare(x); }
