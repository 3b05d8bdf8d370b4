enum { BIT_A, BIT_B, BIT_C };
struct foo { int count; };

int get(struct foo *foo) { return foo->count & (1 << BIT_B); }
