enum state { STARTED, FIRST = STARTED, STOPPED, NR_STATES };

int get(enum state *state) { return *state == FIRST; }
