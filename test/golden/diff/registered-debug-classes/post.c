struct classmap { const char *mod; int type; int base; };
static struct classmap cm __attribute__((section("__dyndbg_classes"), used)) = { "m", 1, 3 };
int f(int x) { return x + cm.base; }
