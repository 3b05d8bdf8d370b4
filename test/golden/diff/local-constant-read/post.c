int pick(int x) {
  static const int weights[] = { 3, 1, 4, 2, 5, 9 };
  return weights[x % 6u];
}
