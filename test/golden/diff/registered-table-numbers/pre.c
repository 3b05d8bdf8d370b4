/* What is registered was put where the old number says. */
struct ops { int (*hook)(int); int number; };
int register_hooks(const struct ops *ops, int n); void unregister_hooks(const struct ops *ops, int n); void look_through(const struct ops *ops, int n);
int outside(int);
static int hook(int x) { return outside(x); }
static const struct ops ops[] = { { hook, 1 } };
int start(void) { return register_hooks(ops, sizeof(ops) / sizeof(*ops)); }
void end(void) { unregister_hooks(ops, sizeof(ops) / sizeof(*ops)); }
