int limit = 10; static int scale = 2;
int get(int x) { return x * scale + limit; }
void set(int x) { limit = x; scale = x + 1; }
