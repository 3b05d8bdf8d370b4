struct ops { int (*open)(void), (*read)(void); };
int handle_open(void), plain_read(void);
struct file { const struct ops *ops; int mode; };
void attach(struct file *file, int mode) {
  static const struct ops local_ops = { handle_open, plain_read };
  file->mode = mode;
  file->ops = &local_ops;
}
