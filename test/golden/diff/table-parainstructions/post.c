/* Two sites in .parainstructions; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .parainstructions,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.byte 7\n.byte 5\n.balign 8\n.popsection");
	return x + 2;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .parainstructions,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.byte 7\n.byte 5\n.balign 8\n.popsection");
	return x * 3;
}
