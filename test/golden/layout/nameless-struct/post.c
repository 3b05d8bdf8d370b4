struct foo {
	int count;
	struct {
		u32 tx;
		u32 rx;
	} stats;
	struct {
		u32 b;
		u32 a;
	} each[4];
};

int get(struct foo *foo) { return foo->count; }
