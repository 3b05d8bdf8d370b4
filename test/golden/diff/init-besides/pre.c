#define __init __attribute__((section(".init.text"), cold, noinline))
int log_line(const char *format, ...);

int __init start(void) { return log_line("starting"); }
int run(int x) { return x; }
