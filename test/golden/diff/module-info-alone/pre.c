/* What a module's file tells modprobe. */
static const char author[] __attribute__((section(".modinfo"), used, aligned(1))) = "author=pre";
int outside(int);
int f(int x) { return outside(x); }
