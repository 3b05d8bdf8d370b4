static int table[5] = { 1, 2, 3 };
int get(int x) { return table[x]; }
void set(int x) { table[x] = 1; }
