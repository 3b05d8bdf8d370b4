/* Two sites in .smp_locks; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .smp_locks,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .smp_locks,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x * 3;
}
