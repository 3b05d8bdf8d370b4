/* Another text or line of a debugging message. */
struct descriptor { const char *function, *format; unsigned int line : 18, class : 6, flags : 8; int enabled; unsigned long type; };
void debug(struct descriptor *d);
static struct descriptor d __attribute__((section("__dyndbg"), used, aligned(8))) = { "f", "mf", 6, 63, 0, 0, 0 };
int f(int x)
{
	debug(&d);
	return x + 6;
}
