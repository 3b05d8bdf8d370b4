int brand_new(int x) { static int state = 7; return state += x; }
int counted(int x) { static int calls; calls++; static int state; static int limit = 5; state += x; return state > limit; }
int also_counted(int x) { static int state = 3; state ^= x; return state; }
