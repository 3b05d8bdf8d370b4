int next(int); static int users; int enter(int x) { users++; return next(x); } int leave(int x) { users--; return next(x) + 1; }
