struct foo {
	void *next;
	int count;
	u64 extra;
};

int get(struct foo *foo) { return foo->count; }
