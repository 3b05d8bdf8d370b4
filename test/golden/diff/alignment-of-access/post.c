static unsigned long key;
void hash(void *);
void f(void) { hash(&key); hash(&key); }
