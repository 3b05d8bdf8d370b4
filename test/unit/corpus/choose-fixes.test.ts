import { describe, expect, it } from "vitest";
import { chooseFixes } from "../../../corpus/choose-fixes.js";
import type { Fix } from "../../../corpus/fixes/connect-pieces.js";

const fix = (...ids: string[]): Fix => ({
  name: ids[0] ?? "",
  pieces: ids.map((id) => ({ id, path: id.replace(/#.*/, ""), hunks: [] })),
});
const FIXES = [
  fix("arch/arm64/a.c#0"),
  fix("include/x.h#0", "net/a.c#1"),
  fix("net/a.c#0"),
  fix("net/b.c#0"),
  fix("net/c.c#0"),
  fix("net/d.c#0"),
];
const namesOf = (fixes: readonly Fix[]): string[] => fixes.map(({ name }) => name);

describe("which fixes are judged", () => {
  it.each<[name: string, only: string[] | undefined, expected: string[]]>([
    ["all", undefined, namesOf(FIXES)],
    ["one, by its name", ["net/a.c#0"], ["net/a.c#0"]],
    ["those that change a file, whatever they are named after", ["net/a.c"], ["include/x.h#0", "net/a.c#0"]],
    ["those of several patterns", ["net/b*", "arch/*"], ["arch/arm64/a.c#0", "net/b.c#0"]],
    ["none", ["fs/*"], []],
  ])("%s", (_, only, expected) => {
    expect(namesOf(chooseFixes(FIXES, { seed: 1, ...(only === undefined ? {} : { only }) }))).toEqual(expected);
  });

  it("a sample is decided by its seed, and has none of another architecture", () => {
    const drawn = (seed: number, sample: number): string[] => namesOf(chooseFixes(FIXES, { seed, sample }));
    expect(drawn(1, 2)).toEqual(drawn(1, 2));
    expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => drawn(seed, 2).join(" "))).size).toBeGreaterThan(1);
    expect(drawn(1, 9).sort()).toEqual(namesOf(FIXES.slice(1)));
    // The first of a larger sample are those of a smaller one.
    expect(drawn(5, 4).slice(0, 2)).toEqual(drawn(5, 2));
  });
});
