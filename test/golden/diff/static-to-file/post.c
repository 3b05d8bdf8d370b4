int next(int); static int users; int enter(int x) { users += x + 1; return next(users); } int leave(int x) { users--; return next(x); }
