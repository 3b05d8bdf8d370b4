struct timer { void (*function)(struct timer *t); };
void add(struct timer *t);
static void tick(struct timer *t) { t->function = 0; }
void start(struct timer *t) { t->function = tick; add(t); }
