/* Only the entry in .parainstructions changes, not the code. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .parainstructions,\"a\"\n.balign 8\n.quad 1b\n.byte 7\n.byte 5\n.balign 8\n.popsection");
	return x + 1;
}
int g(int x) { return x * 3; }
