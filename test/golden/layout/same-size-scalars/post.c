struct foo {
	u32 count;
	u64 word;
	int state;
	void *head;
	u8 yes;
	refcount_t refs;
	int (*open)(unsigned int);
};

int get(struct foo *foo) { return foo->count; }
