struct id { int number; const char *name; };
static const struct id ids[] = {
	{ 1, "one" },
	{ 2, "two" },
	{ 0 },
};
struct driver { const char *name; const struct id *table; int uses; };
static struct driver driver = { .name = "d", .table = ids };
static const struct driver backup = { .name = "b", .table = ids };
int register_driver(struct driver *d, const struct driver *b);
int start(void) { return register_driver(&driver, &backup); }
int count(void) { int n = 0; for (const struct id *i = ids; i->number; i++) n += i->name[0]; return n; }
int other(int x) { return x + 1; }
