/* Each has a counter of its own: whether the old value was the one's or the other's is not known. */
int first(void) { static int last; return ++last; }
int second(void) { static int last; return ++last * 3; }
