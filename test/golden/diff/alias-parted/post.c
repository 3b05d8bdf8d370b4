int three(int x) { return x + 3; }
int one(int x) { return x + 1; }
int two(int x) __attribute__((alias("three")));
