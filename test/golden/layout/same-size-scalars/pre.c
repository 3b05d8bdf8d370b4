struct foo {
	int count;
	unsigned long word;
	volatile int state;
	struct list_head *head;
	bool yes;
	atomic_t refs;
	int (*open)(int);
};

int get(struct foo *foo) { return foo->count; }
