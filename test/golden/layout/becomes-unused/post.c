struct foo {
	int count;
	u32 unused_flags;
};

int get(struct foo *foo) { return foo->count; }
