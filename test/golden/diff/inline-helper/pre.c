static inline int clamp(int x) { return x > 100 ? 100 : x; }
int a(int x) { return clamp(x) + 1; }
int b(int x) { return clamp(x * 3); }
int c(int x) { return x; }
