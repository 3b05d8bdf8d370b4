/* Two sites in _kprobe_blacklist; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection _kprobe_blacklist,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.popsection");
	return x + 2;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection _kprobe_blacklist,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.popsection");
	return x * 3;
}
