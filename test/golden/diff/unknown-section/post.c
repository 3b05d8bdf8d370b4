int odd __attribute__((section("strange_things"))) = 1;
int run(int x) { return x - odd; }
