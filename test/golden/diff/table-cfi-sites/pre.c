/* Two sites in .cfi_sites; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection .cfi_sites,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x + 1;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection .cfi_sites,\"a\"\n.balign 4\n.long 1b - .\n.popsection");
	return x * 3;
}
