typedef int (*handler)(int);
extern int install(handler h);
extern int submit(const void *operations);
__attribute__((noinline)) static int changed(int x) { return x + 2; }
__attribute__((noinline)) static int steady(int x) { return x - 1; }
static const struct { handler h[2]; } old_ops = { { changed, steady } };
int direct(int x) { return changed(x) - steady(x); }
__attribute__((noinline)) static int added(int x) { return x * 5; }
static const struct { handler h[3]; } new_ops = { { changed, steady, added } };
int setup(void) { submit(&new_ops); return install(changed) + submit(&old_ops); }
