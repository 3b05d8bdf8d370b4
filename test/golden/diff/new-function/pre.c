int log_line(const char *format, ...);

int user(int x) { return x; }
