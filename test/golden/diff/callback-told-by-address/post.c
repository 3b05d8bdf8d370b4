struct object { int (*function)(int); };
int outside(int); void add(struct object *o); int ready(int);
static int late_work(int x) { return outside(x) + 1; }
/* No longer at the same place: that it is the same callback is not known. */
void start(struct object *o) { if (!ready(1)) return; o->function = late_work; add(o); }
int is_work(struct object *o) { return ready(2) && o->function == late_work; }
