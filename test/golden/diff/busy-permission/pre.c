int state;
int wait_for(int x) { return x + state; }
