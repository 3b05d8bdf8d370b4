struct foo {
	int count;
	u16 flags;
	void *next;
};

int get(struct foo *foo) { return foo->count; }
