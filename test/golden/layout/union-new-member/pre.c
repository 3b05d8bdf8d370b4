struct foo {
	int count;
	union {
		u32 a;
		u8 b[4];
	};
};

int get(struct foo *foo) { return foo->count; }
