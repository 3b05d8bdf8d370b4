__attribute__((section(".bss..decrypted"))) static char page[64];
__attribute__((section(".bss..decrypted"))) static char other[64];
void share(char *);
void f(void) { share(page); }
void g(void) { share(other); }
