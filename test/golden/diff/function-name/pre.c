/* The name of a function as a string is carried, though it does not change. */
void log_name(const char *name, int x);
int f(int x) { log_name(__func__, x); return x + 1; }
