extern int p(int), q(int);
int choose(int x, int y) {
  switch (x) { case 0: return p(y); case 1: return q(y); case 2: return p(y + 1); case 3: return q(y + 2); case 4: return p(y * 3); case 5: return q(y * 5); }
  return 0;
}
int steady(int x, int y) {
  switch (x) { case 0: return q(y); case 1: return p(y); case 2: return q(y + 1); case 3: return p(y + 2); case 4: return q(y * 3); case 5: return p(y * 5); }
  return 1;
}
