#define once(text) ({ static _Bool __attribute__((section(".data.once"))) __already_done; if (!__already_done) { __already_done = 1; log_line(text); } })
int log_line(const char *text); int first(int x) { return x; } int second(int x) { once("second"); return x + log_line("two"); }
