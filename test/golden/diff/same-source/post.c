int log_line(const char *format, ...);

static int state; static const char *names[] = { "a", "b" };
int run(int x) { static int calls; calls++; return log_line(names[x & 1], state++, calls); }
