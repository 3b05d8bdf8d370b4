static char key[8];
void hash(void *);
void f(void) { hash(key); }
