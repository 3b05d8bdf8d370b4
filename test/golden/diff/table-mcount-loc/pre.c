/* Two sites in __mcount_loc; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection __mcount_loc,\"a\"\n.balign 4\n.quad 1b\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection __mcount_loc,\"a\"\n.balign 4\n.quad 1b\n.popsection");
	return x * 3;
}
