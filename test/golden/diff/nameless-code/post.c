int run(int x) { return x; }
asm(".text\nmov $2, %eax\nret\n");
