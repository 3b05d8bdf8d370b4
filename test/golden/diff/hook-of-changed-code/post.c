#define HOOK(kind, result, fn) static result (*const hook_##kind##_##fn)(void) __attribute__((used, no_reorder, section(".ksplice_hooks." #kind))) = (fn)
int limit = 10;
int get(int x) { return x * limit; }
int check(void) { return limit > 5; }
HOOK(check_apply, int, check);
