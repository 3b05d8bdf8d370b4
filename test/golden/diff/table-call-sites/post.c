/* Two sites in .call_sites; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .call_sites,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 2;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .call_sites,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x * 3;
}
