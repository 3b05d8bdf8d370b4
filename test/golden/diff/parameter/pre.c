static int level;
struct parameter { const char *name; int *at; };
static const struct parameter __attribute__((section("__param"), used)) __param_level = { "level", &level };
int run(int x) { return x + level; }
