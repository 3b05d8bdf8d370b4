struct foo {
	int other;
	int count;
};

int get(struct foo *foo) { return foo->count; }
