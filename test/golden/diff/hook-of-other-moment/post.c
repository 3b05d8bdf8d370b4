#define HOOK(kind, result, fn) static result (*const hook_##kind##_##fn)(void) __attribute__((used, no_reorder, section(".ksplice_hooks." #kind))) = (fn)
int limit = 11;
int get(int x) { return x * limit; }
static void lower(void) { limit = 10; }
HOOK(reverse, void, lower);
