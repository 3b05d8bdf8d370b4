enum state { STARTED, PAUSED, STOPPED };

int get(enum state *state) { return *state == STOPPED; }
