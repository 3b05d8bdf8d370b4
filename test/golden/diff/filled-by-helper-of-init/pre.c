int outside(int);
int use(int x) { return outside(x); }
static int __attribute__((noinline)) prepare(int x) { return outside(x) + 1; }
int __attribute__((section(".init.text"))) start(int x) { return prepare(x); }
