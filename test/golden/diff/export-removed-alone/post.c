int shown(int x) { return x; }
int kept(int x) { return x * 2; }
