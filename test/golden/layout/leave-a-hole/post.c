struct foo {
	int count;
	void *third;
};

int get(struct foo *foo) { return foo->count; }
