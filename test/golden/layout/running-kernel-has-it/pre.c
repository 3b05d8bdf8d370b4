struct foo {
	int count;
};

int get(struct foo *foo) { return foo->count; }
