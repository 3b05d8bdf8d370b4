enum state { STARTED, PAUSED, DONE };

int get(enum state *state) { return *state == PAUSED; }
