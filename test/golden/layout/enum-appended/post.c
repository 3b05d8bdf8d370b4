enum state { STARTED, STOPPED, PAUSED };

int get(enum state *state) { return *state == STOPPED; }
