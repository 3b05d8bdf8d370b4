enum state { STARTED, BEGINNING = STARTED, STOPPED, PAUSED };

int get(enum state *state) { return *state == BEGINNING; }
