struct old_node { struct old_node *next; int count; };
struct foo {
	struct old_node *first;
};

int get(struct foo *foo) { return foo->first->count; }
