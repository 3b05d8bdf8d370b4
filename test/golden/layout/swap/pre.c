struct foo {
	int count;
	int other;
};

int get(struct foo *foo) { return foo->count; }
