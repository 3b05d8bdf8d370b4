extern const int weights[];
const int weights[] = {
	1, 2,
	3,
};
int weigh(int x) { return weights[x]; }
