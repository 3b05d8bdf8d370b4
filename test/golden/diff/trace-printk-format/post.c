int trace(const char **f);
int f(int x) { static const char *fmt __attribute__((section("__trace_printk_fmt"), used)) = "one"; trace(&fmt); return trace(&fmt) + x; }
