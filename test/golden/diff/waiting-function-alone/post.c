/* Where a thread waits is told by what is not in this section. */
int outside(int);
int __attribute__((section(".sched.text"))) f(int x) { return outside(x); }
