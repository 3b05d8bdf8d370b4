int outside(int);
int probed(int x) { return outside(x); }
static unsigned long __attribute__((used, section("_kprobe_blacklist"))) _kbl_addr_probed = (unsigned long)probed;
