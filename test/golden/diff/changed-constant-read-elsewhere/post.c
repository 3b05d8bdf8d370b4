static const int weights[4] = { 1, 2, 3, 5 };
int weigh(int x) { return weights[x & 3]; }
int weigh_twice(int x) { return 2 * weights[x]; }
