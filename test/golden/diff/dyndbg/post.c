/* The line of a debug message's descriptor alone is no change. */
struct descriptor { const char *function; unsigned int line; unsigned int flags; };
void debug(struct descriptor *d);
int f(int x)
{
	static struct descriptor d __attribute__((section("__dyndbg"), used, aligned(8))) = { "f", 7, 0 };
	debug(&d);
	return x + 1;
}
