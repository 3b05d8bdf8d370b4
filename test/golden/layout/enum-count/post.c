enum state { STARTED, STOPPED, PAUSED, NR_STATES };

int get(enum state *state) { return *state == STOPPED; }
