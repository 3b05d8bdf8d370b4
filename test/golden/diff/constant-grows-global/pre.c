extern const int weights[];
const int weights[] = {
	1, 2,
};
int weigh(int x) { return weights[x]; }
