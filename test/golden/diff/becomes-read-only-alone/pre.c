static int limit = 4;
int get(int x) { return x > limit; }
int __attribute__((section(".init.text"))) start(int x) { return limit = x; }
