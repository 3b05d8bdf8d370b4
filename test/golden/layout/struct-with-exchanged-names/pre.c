struct range { unsigned int start, end; };
struct foo {
	struct range range;
	int count;
};

unsigned int get(struct foo *foo) { return foo->range.end; }
