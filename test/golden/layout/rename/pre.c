struct foo {
	int count;
	int old_name;
};

int get(struct foo *foo) { return foo->count; }
