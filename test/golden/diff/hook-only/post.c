#define HOOK(kind, result, fn) static result (*const hook_##kind##_##fn)(void) __attribute__((used, no_reorder, section(".ksplice_hooks." #kind))) = (fn)
int limit = 10;
int get(int x) { return x * limit; }
extern int printk(const char *, ...);
static int ready(void) { return limit > 20; }
static void tell(void) { printk("told\n"); }
HOOK(check_apply, int, ready);
HOOK(post_apply, void, tell);
HOOK(post_reverse, void, tell);
