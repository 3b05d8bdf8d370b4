import { expect, test } from "vitest";
import { chooseKernel } from "../../../demo/choose-kernel.js";

const kernel = (release: string, version: string): { release: string; version: string; sourceAvailable: boolean } => ({
  release,
  version,
  sourceAvailable: true,
});

const KERNELS = [
  kernel("6.1.0-47-amd64", "6.1.170-3"),
  kernel("6.1.0-54-amd64", "6.1.190-1"),
  kernel("6.1.0-55-amd64", "6.1.192-1"),
  kernel("6.1.0-56-amd64", "6.1.192-2"),
];

test.each([
  ["a new upstream version", KERNELS.slice(0, 2), ["6.1.170-3", "6.1.190-1"], "6.1.0-47-amd64", "6.1.190-1"],
  ["revisions of one upstream version", KERNELS, ["6.1.170-3", "6.1.190-1", "6.1.192-1", "6.1.192-2"], "6.1.0-54-amd64", "6.1.192-2"],
  ["a source whose kernel is not there yet", KERNELS.slice(0, 1), ["6.1.170-3", "6.1.190-1"], "6.1.0-47-amd64", "6.1.190-1"],
  ["one version only", KERNELS.slice(2), ["6.1.192-1", "6.1.192-2"], "6.1.0-56-amd64", undefined],
  ["point releases of another distribution's rebuild", [kernel("a", "6.12.117-1~deb12u1")], ["6.12.117-1~deb12u1"], "a", undefined],
])("%s", (_, kernels, sources, release, fixedIn) => {
  expect(chooseKernel(kernels, sources)).toMatchObject({ kernel: { release } });
  expect(chooseKernel(kernels, sources)?.fixedIn).toBe(fixedIn);
});

test("an archive without kernels", () => {
  expect(chooseKernel([], ["6.1.170-3"])).toBeUndefined();
});
