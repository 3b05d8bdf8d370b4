static int mode = 1;
int run(int x) { return x + mode; }
void set(int x) { mode = x; }
