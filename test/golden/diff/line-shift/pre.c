int log_line(const char *format, ...);

int checked(int x) { if (x < 0) return log_line("line %d", __LINE__); return x; }
