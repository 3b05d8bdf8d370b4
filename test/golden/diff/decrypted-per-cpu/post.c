__attribute__((section(".data..percpu"))) static char page[64];
void share(char *);
void f(void) { share(page); }
