struct foo {
	int count;
};
struct other {
	int a;
};

int get(struct foo *foo) { return foo->count; }
