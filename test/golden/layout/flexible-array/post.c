struct foo {
	int count;
	int list[];
};

int get(struct foo *foo) { return foo->count; }
