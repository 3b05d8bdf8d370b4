struct foo {
	int count;
	int table[4];
};

int get(struct foo *foo) { return foo->count; }
