struct id { int number; };
struct driver { long flags; long spare[3]; const struct id *table; const char *name; };
static const struct id ids[] = { { 1 }, { 2 }, { 0 } };
static const struct driver driver = { 1, { 0 }, ids, "driver" };
void add(const struct driver *d);
void start(void) { add(&driver); }
