#define ALLOW_BUSY(fn) static const char busy_##fn[] __attribute__((used, section(".ksplice_busy"))) = #fn
int state;
int wait_for(int x) { return x - state; }
ALLOW_BUSY(wait_for);
