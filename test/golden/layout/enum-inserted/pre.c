enum state { STARTED, STOPPED };

int get(enum state *state) { return *state == STOPPED; }
