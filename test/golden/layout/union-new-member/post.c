struct foo {
	int count;
	union {
		u32 a;
		u8 b[4];
		u16 c;
	};
};

int get(struct foo *foo) { return foo->count; }
