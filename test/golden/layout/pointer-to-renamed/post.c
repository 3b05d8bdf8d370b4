struct new_node { struct new_node *next; int count; };
struct foo {
	struct new_node *first;
};

int get(struct foo *foo) { return foo->first->count; }
