int next(int); __attribute__((noinline)) int first(int x) { static int state; state += x; return next(state); }
