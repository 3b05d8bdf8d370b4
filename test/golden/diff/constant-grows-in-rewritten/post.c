struct id { int number; };
struct driver { long flags; long spare[3]; const struct id *table; const char *name; };
static const struct id ids[] = { { 1 }, { 2 }, { 3 }, { 0 } };
/* The pointer lies outside of what is written for the flags. */
static const struct driver driver = { 5, { 0 }, ids, "driver" };
void add(const struct driver *d);
void start(void) { add(&driver); }
