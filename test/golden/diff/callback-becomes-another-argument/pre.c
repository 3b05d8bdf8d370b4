int outside(int); void add(int (*handler)(int), int (*thread)(int));
static int hard(int x) { return outside(x + 1); }
void start(void) { add(hard, 0); }
