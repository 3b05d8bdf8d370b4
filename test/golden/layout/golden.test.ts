import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTypes } from "../../../src/btf/compare-types.js";
import { drawLayouts } from "../../../src/btf/draw-layout.js";
import { CLANG, GCC } from "../../support/compile-object.js";
import { compileBtf, HAS_PAHOLE } from "../../support/compile-types.js";

/*
 * Each folder is a case: pre.c and post.c; running.c, optional, in the place of the running kernel's types; expected.txt what is found, with
 * the picture. test/support/compile-types.ts puts some names of the kernel's types before each source.
 * `npx vitest run --project unit test/golden/layout -u` writes the expected texts anew.
 */
const folder = import.meta.dirname;
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Both compilers' debug information passes through pahole: where they could differ, both are tried. */
const OF_BOTH = ["bit-field-into-padding", "nameless-struct", "held-by-value", "nameless-enum", "same-size-scalars"];

const compilers = [
  { name: "gcc", compiler: GCC, cases },
  { name: "clang", compiler: CLANG, cases: OF_BOTH },
];

for (const { name, compiler, cases: tried } of compilers) {
  const suite = compiler === undefined || !HAS_PAHOLE ? describe.skip : describe;
  suite(`layouts by ${compiler ?? `${name}, which is not installed`}`, () => {
    it.each(tried)("%s", async (caseName) => {
      const compile = (side: string, all: boolean) =>
        compileBtf(readFileSync(join(folder, caseName, `${side}.c`), "utf8"), side, compiler ?? "", { all });
      const running = existsSync(join(folder, caseName, "running.c")) ? compile("running", true) : undefined;
      const { findings, notes } = compareTypes(compile("pre", true), compile("post", false), running);
      const lines = findings.flatMap((finding) => [
        `${finding.label}: ${finding.kind}`,
        ...finding.reasons.map((reason) => `  ${reason}`),
        ...finding.holders.map((holder) => `  held by ${holder}`),
        ...drawLayouts(finding.before, finding.after).map((text) => `    ${text}`),
        "",
      ]);
      const text = [...lines, ...notes.map((note) => `note: ${note}`), ...(findings.length === 0 ? ["no finding"] : [])].join("\n");
      await expect(`${text.trimEnd()}\n`).toMatchFileSnapshot(join(folder, caseName, "expected.txt"));
    });
  });
}
