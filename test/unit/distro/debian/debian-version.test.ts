import { expect, test } from "vitest";
import { compareDebianVersions } from "../../../../src/distro/debian/debian-version.js";

test.each([
  ["6.1.170-3", "6.1.176-1", -1],
  ["6.1.170-3", "6.1.170-10", -1],
  ["6.9-1", "6.12-1", -1],
  ["6.12.117-1~deb12u1", "6.12.117-1", -1],
  ["6.12.117-1~deb12u1", "6.12.117-1~deb12u2", -1],
  ["1:1.0", "2.0", 1],
  ["1.0", "1.0-0", 0],
  ["1.0a", "1.0+", -1],
  ["1.0", "1.0a", -1],
  ["6.1.170-3", "6.1.170-3", 0],
])("%s against %s: %d", (a, b, expected) => {
  expect(Math.sign(compareDebianVersions(a, b))).toBe(expected);
  expect(Math.sign(compareDebianVersions(b, a))).toBe(expected === 0 ? 0 : -expected);
});
