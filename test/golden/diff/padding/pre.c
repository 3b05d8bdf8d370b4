extern int work(int);
int first(int x) { return work(x) + 1; }
int second(int x) { return work(x) + 2; }
