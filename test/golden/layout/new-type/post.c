struct foo { int count; };
struct bar { int count; };

int get(struct foo *foo) { return foo->count; }
int get_bar(struct bar *bar) { return bar->count; }
