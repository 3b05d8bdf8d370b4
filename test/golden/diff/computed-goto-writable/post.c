extern int step(int);
int run(const unsigned char *code, int x)
{
	static void *table[3] = { &&add, &&sub, &&end };
	if (x < 0)
		table[1] = &&end;
	goto *table[*code];
add:
	x = step(x) + 1001;
	goto *table[*++code];
sub:
	x = step(x - 1);
	goto *table[*++code];
end:
	return x;
}
