int limit = 10;
int get(int x) { return x * limit; }
int check(void) { return limit; }
