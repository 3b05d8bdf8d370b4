/* Only the entry in .return_sites changes, not the code. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .return_sites,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 1;
}
int g(int x) { return x * 3; }
