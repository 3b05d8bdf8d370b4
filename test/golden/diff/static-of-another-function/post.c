int next(int); __attribute__((noinline)) int first(int x) { return next(x); }
__attribute__((noinline)) int second(int x) { static int state; state -= x; return next(state) + 2; }
