struct foo {
	int count;
	u32 flags;
	u32 more;
	u8 pad[4];
};

int get(struct foo *foo) { return foo->count; }
