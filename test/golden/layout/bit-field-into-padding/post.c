struct foo {
	int count;
	unsigned int dead:1;
	unsigned int dirty:2;
	unsigned int late:3;
};

int get(struct foo *foo) { return foo->count; }
