int outside(int);
int probed(int x) { return outside(x); }
int other(int x) { return outside(x) + 1; }
