int log_line(const char *format, ...);
static int state;
int run(int x) { static int calls; return log_line("run", state, calls++); }
int walk(int x) { static int calls; return log_line("walk", state, calls++); }
