#define __init __attribute__((section(".init.text"), cold, noinline))
static int limit;
int __init start(int x) { limit = x * 2; return x; }
int run(int x) { return x < limit ? x : limit; }
static int fill(void) { limit = 8; return 0; }
static void *hook __attribute__((section(".ksplice_hooks.pre_apply"), used)) = fill;
