int first(void); int second(void);
int run(int x) { return x; }
asm(".text\ncall first\nret\n");
