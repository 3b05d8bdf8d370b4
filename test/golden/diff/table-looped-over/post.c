struct info { const char *name; int kind; };
int outside(const struct info *);
static const struct info table[] = { { "a", 1 }, { "b", 2 }, { "c", 4 }, { "d", 5 }, { "e", 6 }, { "f", 7 } };
static int kind;
int all(void)
{
	int sum = 0;
	const struct info *p;
	for (p = table; p != &table[sizeof(table) / sizeof(table[0])]; p++)
		if (p->kind == kind)
			sum += outside(p);
	return sum;
}
void set(int k) { kind = k; }
