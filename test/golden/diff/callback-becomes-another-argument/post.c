int outside(int); void add(int (*handler)(int), int (*thread)(int));
static int soft(int x) { return outside(x - 7); }
void start(void) { add(0, soft); }
