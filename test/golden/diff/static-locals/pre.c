int counted(int x) { static int state; static int limit = 5; state += x; return state > limit; }
int also_counted(int x) { static int state = 3; state ^= x; return state; }
