typedef struct {
	int count;
} foo_t;

int get(foo_t *foo) { return foo->count; }
