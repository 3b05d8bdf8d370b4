/* Where a thread waits is told by what is not in this section. */
int outside(int);
int f(int x) { return outside(x); }
