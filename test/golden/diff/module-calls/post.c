/* A module that has no end any more: the running one's structure has the function still. */
int outside(int);
int f(int x) { return outside(x) + 1; }
static int start(void) { return outside(1); }
int init_module(void) __attribute__((alias("start")));
