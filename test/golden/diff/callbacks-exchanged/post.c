struct work { void (*run)(struct work *); }; void use(int); void queue(struct work *); void queue_late(struct work *);
static void reorder(struct work *w) { use(1); queue(w); }
static void finish(struct work *w) { use(2); }
void start(struct work *a, struct work *b) { a->run = finish; queue(a); b->run = reorder; queue_late(b); }
