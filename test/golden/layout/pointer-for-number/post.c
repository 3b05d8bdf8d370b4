struct foo {
	int count;
	void *cookie;
};

int get(struct foo *foo) { return foo->count; }
