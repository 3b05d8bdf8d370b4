struct hlist_node { struct hlist_node *next, **pprev; };
struct foo { int n; struct hlist_node node; };
int outside(struct list_head *); int houtside(struct hlist_node *);
int get(struct foo *foo) { return houtside(&foo->node) + foo->n; }
int other(struct hlist_node *s) { return houtside(s); }
