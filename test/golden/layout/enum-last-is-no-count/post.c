enum state { STARTED, STOPPED, PAUSED, DONE };

int get(enum state *state) { return *state == STOPPED; }
