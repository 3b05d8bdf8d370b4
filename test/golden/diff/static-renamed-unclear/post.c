int next(int); static int limit; int enter(int x) { return next(x) < limit ? 0 : next(limit); } void set(int x) { limit = x; }
