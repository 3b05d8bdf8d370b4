struct foo {
	int count;
};
struct other {
	int b;
	int a;
};

int get(struct foo *foo) { return foo->count; }
int get_other(struct other *other) { return other->a; }
