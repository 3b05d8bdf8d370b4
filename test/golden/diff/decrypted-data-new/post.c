__attribute__((section(".bss..decrypted"))) static char page[64];
void share(char *);
void f(void) { share(page); }
