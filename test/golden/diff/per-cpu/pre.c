static volatile int __attribute__((section(".data..percpu"))) old_count;
int run(int x) { return x + old_count; }
