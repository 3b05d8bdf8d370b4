int log_line(const char *format, ...);

static int calls; int limit = 4;
__attribute__((noinline)) static int inner(int x) { calls++; return log_line("inner %d", x) + limit; }
int outer(int x) { return inner(x) * 2; }
int sibling(int x) { int r = inner(x + 1); return r * 3; }
