struct dentry { unsigned flags; const struct operations *ops; };
struct operations { int (*revalidate)(struct dentry *), (*delete)(struct dentry *); const char *name; };
int plain_revalidate(struct dentry *dentry);
static int always_delete(struct dentry *dentry) { return dentry->flags > 1; }
static const struct operations ops = { .revalidate = plain_revalidate, .delete = always_delete, .name = "plain" };
void set_ops(struct dentry *dentry) {
  dentry->ops = &ops;
  if (ops.delete) dentry->flags |= 1;
}
