int outside(int); void add_handler(int (*f)(int)); void add_timer(int (*f)(int));
static int handler(int x) { return outside(x + 1); }
static int tick(int x) { return outside(x - 7); }
void start(void) { add_handler(handler); add_timer(tick); }
