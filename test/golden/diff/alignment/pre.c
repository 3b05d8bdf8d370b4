static char buffer[64] __attribute__((aligned(16)));
void dma(char *);
void f(void) { dma(buffer); }
