int next(int); int enter(int x) { static int users; users += x; return next(users); } int leave(int x) { return next(x); }
