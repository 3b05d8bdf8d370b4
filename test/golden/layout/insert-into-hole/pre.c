struct foo {
	int count;
	void *next;
};

int get(struct foo *foo) { return foo->count; }
