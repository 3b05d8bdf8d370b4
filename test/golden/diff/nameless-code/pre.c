int run(int x) { return x; }
asm(".text\nmov $1, %eax\nret\n");
