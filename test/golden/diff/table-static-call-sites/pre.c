/* Two sites in .static_call_sites; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .static_call_sites,\"a\"\n.balign 4\n.long 1b - .\n.long the_key - .\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .static_call_sites,\"a\"\n.balign 4\n.long 1b - .\n.long the_key - .\n.popsection");
	return x * 3;
}
