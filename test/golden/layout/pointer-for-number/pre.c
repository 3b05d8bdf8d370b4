struct foo {
	int count;
	unsigned long cookie;
};

int get(struct foo *foo) { return foo->count; }
