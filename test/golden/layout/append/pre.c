struct foo {
	void *next;
	int count;
};

int get(struct foo *foo) { return foo->count; }
