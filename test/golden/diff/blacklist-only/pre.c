int outside(int);
int probed(int x) { return outside(x); }
