/* The original jumps to code in .altinstr_aux, which belongs to the function. */
int f(int x)
{
	asm volatile("661: jmp 6f\n662:\n.pushsection .altinstr_aux,\"ax\"\n6: testb $1, feature(%%rip)\njmp 662b\n.popsection\n"
		     ".pushsection .altinstructions,\"a\"\n.long 661b - .\n.long 663f - .\n.word 1\n.byte 662b-661b\n.byte 664f-663f\n.popsection\n"
		     ".pushsection .altinstr_replacement,\"ax\"\n663: nop\n664:\n.popsection" ::: "memory");
	return x + 1;
}
