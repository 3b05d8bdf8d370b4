struct foo {
	int count;
	int third;
};

int get(struct foo *foo) { return foo->count; }
