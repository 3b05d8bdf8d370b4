/* Two ways to say that no probe may be put into a function. */
int outside(int);
int __attribute__((section(".kprobes.text"))) f(int x) { return outside(x); }
