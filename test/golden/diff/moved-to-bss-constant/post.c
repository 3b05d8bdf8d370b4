static int mode;
int run(int x) { return x + mode; }
void set(int x) { mode = x; }
