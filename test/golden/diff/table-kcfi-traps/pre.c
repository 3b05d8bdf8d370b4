/* Two sites in .kcfi_traps; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .kcfi_traps,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .kcfi_traps,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x * 3;
}
