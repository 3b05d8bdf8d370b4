/* Who looks through a table is given the new one. */
struct ops { int (*hook)(int); int number; };
int register_hooks(const struct ops *ops, int n); void unregister_hooks(const struct ops *ops, int n); void look_through(const struct ops *ops, int n);
int outside(int);
static int hook(int x) { return outside(x); }
static const struct ops ops[] = { { hook, 1 }, { hook, 2 } };
void look(void) { look_through(ops, sizeof(ops) / sizeof(*ops)); outside(1); unregister_hooks(0, 0); }
