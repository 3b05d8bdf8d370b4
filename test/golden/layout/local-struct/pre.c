int next(int x)
{
	static struct counter {
		int seen;
		int passed;
	} counter;

	counter.seen++;
	if (x > counter.passed)
		counter.passed = x;
	return counter.seen;
}
