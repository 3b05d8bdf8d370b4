struct foo {
	int count;
	int other;
	int third;
};

int get(struct foo *foo) { return foo->count; }
