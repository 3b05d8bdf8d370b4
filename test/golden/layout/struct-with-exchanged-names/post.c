struct span { unsigned int end, start; };
struct foo {
	struct span range;
	int count;
};

unsigned int get(struct foo *foo) { return foo->range.end; }
