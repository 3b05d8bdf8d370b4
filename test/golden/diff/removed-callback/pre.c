struct timer { void (*function)(struct timer *t); };
static void tick(struct timer *t) { t->function = 0; }
void start(struct timer *t) { t->function = tick; }
