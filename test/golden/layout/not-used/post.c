struct foo {
	int count;
};
struct other {
	int b;
	int a;
};

int get(struct foo *foo) { return foo->count; }
