static inline int next_id(void) { static int last; return ++last; }
int first(void) { return next_id(); }
int second(void) { return next_id() * 2; }
