/* What is registered is found by its name, in an order that was made of the old one. */
struct entry { const char *name; int (*handler)(int); };
int register_entries(const struct entry *entries, int n); int outside(int);
static int hook(int x) { return outside(x); }
static const struct entry entries[] = { { "first", hook }, { "old", hook } };
int __attribute__((section(".init.text"))) start(void) { return register_entries(entries, 2); }
int get(int x) { return entries[x & 1].handler(x); }
