int outside(int);
__attribute__((noinline)) static int one(int x) { return outside(x) + 1; }
__attribute__((noinline)) static int two(int x) { return outside(x) + 1; }
int first(int x) { return one(x) * 3; }
int second(int x) { return two(x) * 5; }
