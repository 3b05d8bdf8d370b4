struct foo {
	struct list_head *head;
	struct list_head *what;
	int (*open)(int);
	u8 *bytes;
};

int get(struct foo *foo) { return foo->open != 0; }
