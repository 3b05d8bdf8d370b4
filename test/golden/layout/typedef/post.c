typedef struct {
	int count;
	int more;
} foo_t;

int get(foo_t *foo) { return foo->count; }
