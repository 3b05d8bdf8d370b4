int log_line(const char *format, ...);


int fresh_count;
__attribute__((noinline)) static int quiet(int x) { fresh_count++; return log_line("quiet %d", x); }
__attribute__((noinline)) int fresh(int x) { return quiet(x) + 1; }
int user(int x) { return fresh(x); }
