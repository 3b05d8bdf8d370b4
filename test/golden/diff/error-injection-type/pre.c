/* Which errors may be injected into a function is read when the kernel starts. */
struct entry { unsigned long address; int type; };
int outside(int);
int f(int x) { return outside(x); }
static struct entry list_f __attribute__((used, section("_error_injection_whitelist"))) = { (unsigned long)f, 3 };
