struct foo {
	int count;
	unsigned int dead:2;
	unsigned int dirty:2;
};

int get(struct foo *foo) { return foo->count; }
