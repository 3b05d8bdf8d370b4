/* Another function in a table that is registered is found and taken back as before. */
struct ops { int (*hook)(int); int number; };
int register_hooks(const struct ops *ops, int n); void unregister_hooks(const struct ops *ops, int n); void look_through(const struct ops *ops, int n);
int outside(int);
static int hook(int x) { return outside(x); }
static int other(int x) { return outside(x) + 1; }
static const struct ops ops[] = { { other, 1 }, { other, 3 }, { hook, 4 } };
int start(void) { return register_hooks(ops, sizeof(ops) / sizeof(*ops)); }
void end(void) { unregister_hooks(ops, sizeof(ops) / sizeof(*ops)); }
