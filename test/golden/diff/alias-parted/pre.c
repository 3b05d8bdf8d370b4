int one(int x) { return x + 1; }
int two(int x) __attribute__((alias("one")));
int three(int x) __attribute__((alias("one")));
