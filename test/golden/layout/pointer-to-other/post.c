struct foo {
	struct list_head *head;
	refcount_t *what;
	int (*open)(int, u64);
	u8 *bytes;
};

int get(struct foo *foo) { return foo->open != 0; }
