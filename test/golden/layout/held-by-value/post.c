struct inner {
	u64 x;
	u64 y;
};
struct middle {
	int a;
	struct inner list[2];
};
struct foo {
	int count;
	struct middle middle;
};
struct beside {
	struct inner *pointer;
	int count;
};

int get(struct foo *foo, struct beside *beside) { return foo->count + beside->count; }
