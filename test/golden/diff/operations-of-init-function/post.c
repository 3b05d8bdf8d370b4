#define __init __attribute__((section(".init.text"), cold, noinline))
int proc_create(const char *name, const void *ops); int proc_open(void), proc_read(void), seq_read(void);
struct ops { int (*open)(void), (*read)(void); };
int __init start(void) {
  static const struct ops info_ops = { proc_open, seq_read };
  return proc_create("info", &info_ops);
}
