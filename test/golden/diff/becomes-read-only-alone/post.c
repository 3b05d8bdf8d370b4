static int limit __attribute__((section(".data..ro_after_init"))) = 4;
int get(int x) { return x > limit; }
int __attribute__((section(".init.text"))) start(int x) { return limit = x; }
