struct foo {
	int count;
	int new_name;
};

int get(struct foo *foo) { return foo->count; }
