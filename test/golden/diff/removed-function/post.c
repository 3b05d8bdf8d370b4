extern int outside(int);
int user(int x) { return outside(x); }
