int log_line(const char *format, ...);

#define log_once(text) ({ static _Bool __attribute__((section(".data.once"))) done; if (!done) { done = 1; log_line(text); } })
int busy(int x) { if (x & 1) log_once("one"); if (x & 2) log_once("two"); return x; }
int other(int x) { if (x & 4) log_once("three"); return x; }
