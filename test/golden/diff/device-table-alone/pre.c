/* What depmod makes aliases of. */
struct id {
	unsigned int vendor;
};
const struct id ids[] = { { 1 }, { 0 } };
int outside(const struct id *ids);
int f(void) { return outside(ids); }
