struct foo {
	int count;
	int table[5];
};

int get(struct foo *foo) { return foo->count; }
