struct timer { void (*function)(struct timer *t); };
void add(struct timer *t); int ready(struct timer *t);
static void tock(struct timer *t) { t->function = (void *)1; }
void start(struct timer *t) { if (!ready(t)) return; t->function = tock; add(t); }
