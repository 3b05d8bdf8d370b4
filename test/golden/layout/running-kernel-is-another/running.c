struct foo {
	u64 first;
	int count;
};
int get(struct foo *foo) { return foo->count; }
