struct foo {
	int count;
	struct {
		u32 rx;
		u32 tx;
	} stats;
	struct {
		u32 a;
		u32 b;
	} each[4];
};

int get(struct foo *foo) { return foo->count; }
