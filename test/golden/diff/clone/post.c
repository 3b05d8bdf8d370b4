extern int sink(int, int);
__attribute__((noinline)) static int scaled(int x, int factor) { return sink(x, factor) + sink(x + 1, factor * 4) + factor; }
int one(int x) { return scaled(x, 3); }
int two(int x) { return scaled(x + 1, 3); }
