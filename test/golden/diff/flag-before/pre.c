int log_line(const char *format, ...);

#define log_once(text) ({ static _Bool __attribute__((section(".data.once"))) done; if (!done) { done = 1; log_line(text); } })
int busy(int x) { if (x & 1) log_once("one"); return x; }
