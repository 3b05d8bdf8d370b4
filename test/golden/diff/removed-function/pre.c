extern int outside(int);
__attribute__((noinline)) static int helper(int x) { return outside(x) + 1; }
int user(int x) { return helper(x) * 2; }
