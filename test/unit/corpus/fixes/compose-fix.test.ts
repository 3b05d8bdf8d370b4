import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withPieces } from "../../../../corpus/fixes/compose-fix.js";
import { findFixes } from "../../../../corpus/fixes/find-fixes.js";
import { patchOfPieces } from "../../../../corpus/fixes/fix-patch.js";
import { readChange } from "../../../../src/kbuild/change/read-change.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const top = temporaryDirectory();
let count = 0;

/** Recorded, so that a failure comes again. Others: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);

/** Lines that sources are put together from: many alike, so that differences can be told in several ways; half blocks too. */
const LINE = fc.constantFrom(
  ...["", "", "}", "{", "int f(int x)", "int g(void)", "\treturn x;", "\tf(1);", "#ifdef A", "#else", "#endif", "#define M 1", "int v;"],
  ...[
    "struct s {",
    "\tint m;",
    "};",
    "/* a",
    " * b */",
    '#include "b.h"',
    "static int t[] = {",
    "\t1,",
    "#define L(x) \\",
    "\tx \\",
    '\t"\\"{";',
  ],
);
const TEXT = fc.tuple(fc.array(LINE, { maxLength: 40 }), fc.constantFrom("\n", "")).map(([lines, end]) => lines.join("\n") + end);

/** A text, and the same with some stretches replaced. */
const PAIR = fc
  .tuple(TEXT, fc.array(fc.record({ at: fc.nat(40), gone: fc.nat(6), come: fc.array(LINE, { maxLength: 6 }) }), { maxLength: 5 }))
  .map(([pre, edits]) => {
    const lines = pre.split("\n");
    for (const { at, gone, come } of edits) lines.splice(at, gone, ...come);
    return { pre, post: lines.join("\n") };
  });

describe("fixes put together", () => {
  it("one after the other give the new tree, to the byte, and each patch applies by itself", async () => {
    await fc.assert(
      fc.asyncProperty(PAIR, PAIR, PAIR, async (c, h, other) => {
        const [fromTree, toTree] = [join(top, `${++count}`, "from"), join(top, `${count}`, "to")];
        writeFiles(fromTree, { "net/a.c": c.pre, "net/b.h": h.pre, "net/Makefile": other.pre });
        writeFiles(toTree, { "net/a.c": c.post, "net/b.h": h.post, "net/Makefile": other.post });
        const { files, fixes, pieces } = await findFixes({ fromTree, toTree }, () => undefined);
        expect(fixes.flatMap((fix) => fix.pieces).length).toBe(pieces.length);
        expect(new Set(fixes.flatMap((fix) => fix.pieces)).size).toBe(pieces.length);

        const texts = new Map([...files].map(([path, { pre }]) => [path, pre]));
        const taken = [];
        for (const fix of fixes) {
          taken.push(...fix.pieces);
          for (const [path, text] of withPieces(files, taken)) {
            // Only what the fix has pieces of becomes another.
            if (fix.pieces.every((piece) => piece.path !== path)) expect(text).toBe(texts.get(path));
            texts.set(path, text);
          }
          const { files: alone, notes } = await readChange(fromTree, { patch: await patchOfPieces(files, fix.pieces) });
          expect(notes).toEqual([]);
          expect(alone).toEqual(withPieces(files, fix.pieces));
        }
        for (const [path, { post }] of files) expect(texts.get(path)).toBe(post);
      }),
      { seed: SEED, numRuns: 30 },
    );
  }, 120_000);
});
