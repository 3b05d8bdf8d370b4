struct info { int speed, width; };
struct device { const struct info *info; int mode; };
void attach(struct device *device, int mode) {
  static const struct info info = { 100, 4 };
  device->mode = mode;
  device->info = &info;
}
