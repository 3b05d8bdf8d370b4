/* Another function in a table that init code has registered is called from now on. */
struct entry { const char *name; int (*handler)(int); };
int register_entries(const struct entry *entries, int n); int outside(int);
static int hook(int x) { return outside(x); }
static int other(int x) { return outside(x) + 1; }
static const struct entry entries[] = { { "first", hook }, { "second", other }, { "third", other } };
int __attribute__((section(".init.text"))) start(void) { return register_entries(entries, 3); }
int get(int x) { return entries[x & 1].handler(x); }
