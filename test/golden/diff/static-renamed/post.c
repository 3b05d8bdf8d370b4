int next(int); static int count; int enter(int x) { count++; return next(x); } int leave(int x) { if (count > 0) count--; return next(x) + 1; }
