/* What a module's file tells modprobe. */
static const char author[] __attribute__((section(".modinfo"), used, aligned(1))) = "author=post";
static const char alias[] __attribute__((section(".modinfo"), used, aligned(1))) = "alias=fs-other";
int outside(int);
int f(int x) { return outside(x) + 1; }
