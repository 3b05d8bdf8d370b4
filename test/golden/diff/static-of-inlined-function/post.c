int next(int); static int __attribute__((noinline)) step(int x) { static int state; state += x; return next(state); }
int enter(int x) { return step(x) + 1; }
