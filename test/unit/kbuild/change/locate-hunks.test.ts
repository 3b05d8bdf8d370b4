import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unifiedDiff } from "../../../../src/kbuild/change/diff-texts.js";
import { placeHunks } from "../../../../src/kbuild/change/locate-hunks.js";
import { parsePatch } from "../../../../src/kbuild/change/parse-patch.js";

const place = (text: string, patch: string): ReturnType<typeof placeHunks> =>
  placeHunks("x.c", text, parsePatch(`--- a/x.c\n+++ b/x.c\n${patch}`)[0]?.hunks ?? []);

describe("a hunk", () => {
  test.each([
    ["b\nb\n", "@@ -2 +2 @@\n-b\n+c\n", "b\nc\n"],
    ["", "@@ -0,0 +1 @@\n+c\n", "c\n"],
    ["a\nb", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+b\n", "a\nb\n"],
  ])("of %j and %j makes %j, where it says", (text, patch, expected) => {
    expect(place(text, patch)).toEqual({ kind: "placed", text: expected, notes: [] });
  });

  test("that has nothing to hold on to has no place, but in an empty file", () => {
    expect(place("a\nb\n", "@@ -1,0 +2 @@\n+c\n")).toEqual({ kind: "ambiguous", hunk: 1, lines: [] });
    expect(place("a\nb\nc\n", "@@ -2 +2 @@\n-a\n+d\n@@ -2,0 +3 @@\n+e\n")).toMatchObject({ kind: "ambiguous", hunk: 2 });
  });

  test("is nowhere, if its lines are, or stand before those of an earlier one", () => {
    expect(place("a\n", "@@ -1 +1 @@\n-b\n+c\n")).toEqual({ kind: "nowhere", hunk: 1 });
    expect(place("a\nb\n", "@@ -2 +2 @@\n-b\n+c\n@@ -3 +3 @@\n-a\n+d\n")).toEqual({ kind: "nowhere", hunk: 2 });
  });

  test("of what diff says of two texts makes the one of the other", async () => {
    const text = fc.array(fc.constantFrom("a\n", "b\n", "{\n", "}\n"), { maxLength: 30 }).map((lines) => lines.join(""));
    await fc.assert(
      fc.asyncProperty(text, text, async (pre, post) => {
        const hunks = parsePatch(await unifiedDiff("x.c", pre, post))[0]?.hunks ?? [];
        expect(placeHunks("x.c", pre, hunks)).toEqual({ kind: "placed", text: post, notes: [] });
      }),
      { numRuns: 60, seed: 20261124 },
    );
  });
});
