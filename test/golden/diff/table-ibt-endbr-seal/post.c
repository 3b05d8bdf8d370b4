/* Two sites in .ibt_endbr_seal; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .ibt_endbr_seal,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 2;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .ibt_endbr_seal,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x * 3;
}
