struct foo {
	void *next;
	int count;
	u32 a;
	u32 b;
	u32 c;
	u32 d;
	u32 e;
	u32 f;
};

int get(struct foo *foo) { return foo->count; }
