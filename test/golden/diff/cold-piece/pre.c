int log_line(const char *format, ...);

extern int work(int);
__attribute__((cold, noinline)) extern void fail(const char *why, int x);
int split(int x) { if (__builtin_expect(x < 0, 0)) { fail("negative", x); fail("really", x + 1); return work(x - 1); } return work(x); }
