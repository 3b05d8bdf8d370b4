/* Built-in code: what init and exit sections hold was used up, or was never kept. */
#define PART(name) __attribute__((section(name), used, noinline))
static const int PART(".init.rodata") steps[2] = { 1, 2 };
static int PART(".exit.data") left = 3;
int PART(".init.text") setup(int x) { return steps[x & 1]; }
int PART(".exit.text") teardown(int x) { return left + x; }
int run(int x) { return x + 1; }
asm(".section .exitcall.exit,\"a\"\n.quad teardown\n.previous");
