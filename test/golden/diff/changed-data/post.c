int limit = 11; static int scale = 3;
int get(int x) { return x * scale + limit; }
void set(int x) { limit = x; scale = x + 1; }
