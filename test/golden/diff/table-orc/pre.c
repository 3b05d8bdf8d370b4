/* Two sites in .orc_unwind_ip; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .orc_unwind_ip,\"a\"\n.balign 4\n.long 1b - .\n.popsection\n.pushsection .orc_unwind,\"a\"\n.short 8\n.short 0\n.short 5\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .orc_unwind_ip,\"a\"\n.balign 4\n.long 1b - .\n.popsection\n.pushsection .orc_unwind,\"a\"\n.short 8\n.short 0\n.short 5\n.popsection");
	return x * 3;
}
