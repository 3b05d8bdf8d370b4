#define __init __attribute__((section(".init.text"), cold, noinline))
int log_line(const char *format, ...);

__attribute__((noinline)) static int prepare(int x) { return log_line("preparing %d", x); }
int __init start(int x) { return prepare(x); }
int run(int x) { return prepare(x); }
