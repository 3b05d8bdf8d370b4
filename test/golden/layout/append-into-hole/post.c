struct foo {
	void *next;
	int count;
	u32 flags;
};

int get(struct foo *foo) { return foo->count; }
