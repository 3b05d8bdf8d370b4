void share(char *);
void f(void) { }
