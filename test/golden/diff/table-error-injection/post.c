/* Two sites in _error_injection_whitelist; only the changed function's entry is carried. */
int f(int x)
{
	asm volatile("1: nop\n.pushsection _error_injection_whitelist,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.long 3\n.long 0\n.popsection");
	return x + 2;
}
int g(int x)
{
	asm volatile("1: nop\n.pushsection _error_injection_whitelist,\"a\"\n.balign 4\n.balign 8\n.quad 1b\n.long 3\n.long 0\n.popsection");
	return x * 3;
}
