import { expect, it } from "vitest";
import { unitsByPath } from "../../../../src/update/verify/patched-unit.js";

it("of an object that two modules have, each means its own", () => {
  const [one, two, other] = [
    { path: "a.o", target: "one" },
    { path: "a.o", target: "two" },
    { path: "b.o", target: "vmlinux" },
  ] as const;
  for (const own of [one, two]) {
    const units = unitsByPath([one, two, other], own.target);
    expect(units.get("a.o")).toBe(own);
    expect(units.get("b.o")).toBe(other);
  }
});
