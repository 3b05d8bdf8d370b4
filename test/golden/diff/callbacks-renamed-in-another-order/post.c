int outside(int); void add_handler(int (*f)(int)); void add_timer(int (*f)(int));
static int on_event(int x) { return outside(x + 1); }
static int on_tick(int x) { return outside(x - 8); }
/* What stands where does not tell which is which. */
void start(void) { add_timer(on_tick); add_handler(on_event); }
