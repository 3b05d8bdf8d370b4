struct foo {
	int count;
	u32 reserved;
	u8 pad[8];
};

int get(struct foo *foo) { return foo->count; }
