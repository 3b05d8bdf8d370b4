enum state { STARTED, STOPPED, DONE };

int get(enum state *state) { return *state == STOPPED; }
