struct foo {
	int count;
	int more;
};
int get(struct foo *foo) { return foo->count; }
