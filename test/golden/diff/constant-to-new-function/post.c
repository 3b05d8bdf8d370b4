static int open_two(int x) { return x + 2; }
struct ops { int (*open)(int); int (*close)(int); const char *name; };
static int open_one(int x) { return x + 1; }
static int close_one(int x) { return x - 1; }
static const struct ops ops = { .open = open_two, .close = close_one, .name = "ops" };
const struct ops *find(void) { return &ops; }
int call(int x) { return open_one(x) * close_one(x); }
