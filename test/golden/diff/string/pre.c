int log_line(const char *format, ...);

int first(int x) { return log_line("first %d", x); }
int second(int x) { return log_line("second %d", x); }
