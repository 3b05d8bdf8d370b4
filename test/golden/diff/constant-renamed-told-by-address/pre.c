struct info { const char *name; int kind; };
struct dev { const struct info *info; };
static const struct info info_a = { "a", 1 };
static const struct info info_b = { "b", 2 };
static const struct info info_c = { "c", 3 };
void probe(struct dev *d, int id) { d->info = id == 2 ? &info_c : id ? &info_b : &info_a; }
int is_b(struct dev *d) { return d->info == &info_b ? 7 : 0; }
int is_c(struct dev *d) { return d->info == &info_c; }
