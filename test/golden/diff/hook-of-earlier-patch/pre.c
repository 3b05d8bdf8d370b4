#define HOOK(kind, result, fn) static result (*const hook_##kind##_##fn)(void) __attribute__((used, no_reorder, section(".ksplice_hooks." #kind))) = (fn)
int limit = 10;
int get(int x) { return x * limit; }
static void raise(void) { limit = 20; }
HOOK(apply, void, raise);
