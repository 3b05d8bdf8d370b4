static volatile int __attribute__((section(".data..percpu"))) old_count;
static volatile int __attribute__((section(".data..percpu..shared_aligned"), aligned(64))) new_count;
int run(int x) { new_count = x; return x + old_count; }
