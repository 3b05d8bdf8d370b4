import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeFigures, parseFigures, type KernelFigures } from "../../../matrix/figures.js";
import { renderMarkdown } from "../../../matrix/render-markdown.js";
import { packageRoot } from "../../../src/host/package-root.js";

const kernel: KernelFigures = {
  suite: "trixie",
  release: "6.12.117+deb13-amd64",
  version: "6.12.117-1",
  next: "6.12.118-1",
  day: "2026-11-27",
};

const matching = {
  units: 2,
  functions: 1000,
  matched: 999,
  unknownUnits: 1,
  mismatches: [{ unit: "a/b.o", functions: ["f"], cause: "another compiler" }],
};

const fixes = {
  found: 100, judged: 4, updates: 2, noEffect: 1, refused: [{ fix: "a/b.c#0", code: "changed-layout" }], failed: ["c.c#0: an\n error"],
  createSeconds: 1.5, rehearsed: 2, verified: 1, wrong: ["d.c#0: differs"], unknown: 0,
}; // prettier-ignore

describe("the page of kernels", () => {
  it("has a line for each, and names all that is not as it should be", () => {
    const text = renderMarkdown([{ ...kernel, prepareSeconds: 20, matching, fixes }]);
    expect(text).toContain(
      "| 6.12.117+deb13-amd64 | trixie | 20 s | 99.9 % of 1000 (2 units) | 6.12.118-1 | 4 | 2 | 1 | 1 | 1.5 s | 2, 1 | 1 |",
    );
    for (const words of [
      "`a/b.c#0` refused as `changed-layout`",
      "failed: c.c#0: an error",
      "wrong: d.c#0: differs",
      "`a/b.o`: f not found",
      "1 units are of modules",
    ])
      expect(text).toContain(words);
  });

  it("rounds down: all match only where all do", () => {
    expect(renderMarkdown([{ ...kernel, matching: { ...matching, functions: 100_000, matched: 99_999 } }])).toContain("| 99.9 % of");
  });

  it("says of those that were refused why", () => {
    const refused = { code: "no-headers", message: "the archive\n has none" };
    expect(renderMarkdown([{ ...kernel, refused }])).toContain("* 6.12.117+deb13-amd64: not measured (`no-headers`): the archive has none");
  });

  it("keeps what was measured of other kernels", () => {
    const other = { ...kernel, release: "6.1.0-54-amd64", suite: "bookworm" };
    const again = { ...kernel, day: "2026-11-28" };
    expect(mergeFigures([kernel, other], [again])).toEqual([again, other]);
    expect(mergeFigures([kernel], [other])).toEqual([kernel, other]);
  });

  it("is what the figures that are kept come to", () => {
    const read = (path: string): string => readFileSync(join(packageRoot(), path), "utf8");
    expect(read("docs/kernels.md")).toContain(renderMarkdown(parseFigures(read("matrix/figures.json"))));
  });
});
