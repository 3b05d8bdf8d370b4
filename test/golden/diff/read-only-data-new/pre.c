int get(int x) { return x; }
