/* Only the entry in .static_call_sites changes, not the code. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .static_call_sites,\"a\"\n.balign 8\n.long 1b - .\n.long one_key - .\n.popsection");
	return x + 1;
}
int g(int x) { return x * 3; }
