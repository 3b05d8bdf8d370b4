struct object { int (*function)(int); };
int outside(int); void add(struct object *o); int ready(int);
static int work(int x) { return outside(x); }
void start(struct object *o) { o->function = work; add(o); }
int is_work(struct object *o) { return o->function == work; }
