__attribute__((section(".data..nosave"))) static int stage;
int f(int x) { return stage += x; }
