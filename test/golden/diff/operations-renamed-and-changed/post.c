struct ops { int (*read)(int); int (*poll)(int); };
struct file { const struct ops *ops; };
int outside(int);
static int read(int x) { return outside(x); }
static int poll(int x) { return outside(x + 1); }
static const struct ops a_ops = { read, poll };
static const struct ops second_ops = { poll, poll };
int is_a(struct file *f) { return f->ops == &a_ops ? 2 : 0; }
int is_b(struct file *f) { return f->ops == &second_ops; }
void open(struct file *f, int x) { f->ops = x ? &a_ops : &second_ops; }
