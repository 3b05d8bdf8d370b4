/* Two ways to say that no probe may be put into a function. */
int outside(int);
int f(int x) { return outside(x); }
static unsigned long __attribute__((used, section("_kprobe_blacklist"))) _kbl_addr_f = (unsigned long)f;
