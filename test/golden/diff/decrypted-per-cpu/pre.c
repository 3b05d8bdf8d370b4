__attribute__((section(".data..percpu..decrypted"))) static char page[64];
void share(char *);
void f(void) { share(page); }
