struct object { int (*function)(int); };
int outside(int); void add(struct object *o);
static int late_work(int x) { return outside(x) + 1; }
void start(struct object *o) { o->function = late_work; add(o); }
int is_work(struct object *o) { return o->function == late_work; }
