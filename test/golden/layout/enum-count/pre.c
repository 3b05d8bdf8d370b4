enum state { STARTED, STOPPED, NR_STATES };

int get(enum state *state) { return *state == STOPPED; }
