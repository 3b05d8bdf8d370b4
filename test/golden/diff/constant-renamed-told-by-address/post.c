struct info { const char *name; int kind; };
struct dev { const struct info *info; };
static const struct info info_a = { "a", 1 };
static const struct info info_beta = { "b", 4 };
static const struct info info_gamma = { "c", 3 };
void probe(struct dev *d, int id) { d->info = id == 2 ? &info_gamma : id ? &info_beta : &info_a; }
int is_b(struct dev *d) { return d->info == &info_beta ? 8 : 0; }
int is_c(struct dev *d) { return d->info == &info_gamma; }
