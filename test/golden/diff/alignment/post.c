static char buffer[64] __attribute__((aligned(64)));
void dma(char *);
void f(void) { dma(buffer); }
