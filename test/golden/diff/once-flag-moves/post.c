void draw(void *, int); static long secret; int next(long);
__attribute__((noinline)) int first(int x) { return next(secret); }
__attribute__((noinline)) int second(int x) { static _Bool ___done __attribute__((section(".data.once"))); if (!___done) { ___done = 1; draw(&secret, 8); } return next(secret + x); }
