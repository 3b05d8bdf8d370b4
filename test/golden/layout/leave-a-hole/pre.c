struct foo {
	int count;
	int other;
	void *third;
};

int get(struct foo *foo) { return foo->count; }
