#define HOOK(kind, result, fn) static result (*const hook_##kind##_##fn)(void) __attribute__((used, no_reorder, section(".ksplice_hooks." #kind))) = (fn)
int limit = 11;
int get(int x) { return x * limit; }
static void raise(void) { if (limit == 10) limit = 11; }
static void lower(void) { if (limit == 11) limit = 10; }
HOOK(apply, void, raise);
HOOK(reverse, void, lower);
