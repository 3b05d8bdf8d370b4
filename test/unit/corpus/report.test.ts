import { describe, expect, it } from "vitest";
import { renderHtml } from "../../../corpus/report-html.js";
import { renderMarkdown } from "../../../corpus/report-markdown.js";
import { renderText } from "../../../corpus/report-text.js";
import { summarize, type Summary } from "../../../corpus/summary.js";
import type { FixResult, RehearsalResult } from "../../../corpus/types.js";
import { findPageFaults, openPage } from "../../support/page-faults.js";

const result = (fix: string, more: Partial<FixResult>): FixResult => ({
  fix,
  files: [fix.replace(/#.*/, "")],
  pieces: 1,
  verdict: "update",
  reason: "",
  companions: [],
  changed: [],
  added: [],
  removed: [],
  data: [],
  notes: [],
  milliseconds: { create: 10, match: 5 },
  ...more,
});
const refused = (code: string) => ({ code, symbol: "s", message: "m", place: "f.c:1" });
const changed = { unit: "a.o", target: "vmlinux", name: "f", why: "code", disassembly: ["- +0x1  mov <a>", "+ +0x1  mov <b>"] };
const RESULTS = [
  result("a.c#0", { changed: [changed] }),
  result("b.c#0", { rehearsal: { ok: true, verified: true, problems: [], isUnknown: false, milliseconds: 9 } }),
  result("c.c#0", {
    verdict: "refused",
    code: "changed-data",
    reason: "first <line>\nsecond",
    refused: [refused("changed-data"), refused("changed-data"), refused("changed-layout")],
  }),
  result("d.c#0", { verdict: "no effect", code: "no-change", reason: "same" }),
  result("e.c#0", { verdict: "not built", code: "not-in-config" }),
  result("f.c#0", { verdict: "failed", reason: "Error: x" }),
];
const REPORT = { from: "1-1", to: "1-2", seconds: 9, found: 20, results: RESULTS };

describe("the sums of a run", () => {
  it("give the share of fixes that become updates, of those that are built and have an effect", () => {
    expect(summarize(RESULTS).share).toBe(0.5);
    expect(summarize([]).share).toBe(1);
    const together = result("g.c#0", { verdict: "refused", code: "changed-layout", companions: ["g.h#0"] });
    const incomplete = result("h.c#0", { verdict: "not alone", code: "does-not-compile" });
    expect(summarize([...RESULTS, together, incomplete]).share).toBe(2 / 6);
  });

  it.each<[name: string, rehearsals: (Partial<RehearsalResult> | undefined)[], sums: Summary["rehearsals"]]>([
    ["none", [undefined], { rehearsed: 0, verified: 0, wrong: 0, unknown: 0 }],
    ["one that was not verified", [{ ok: true }], { rehearsed: 1, verified: 0, wrong: 0, unknown: 0 }],
    ["one that is not what the source says", [{ ok: true, verified: false }], { rehearsed: 1, verified: 1, wrong: 1, unknown: 0 }],
    ["one that made trouble", [{ ok: false, verified: true }], { rehearsed: 1, verified: 1, wrong: 1, unknown: 0 }],
    ["one whose module could not be loaded", [{ ok: false, isUnknown: true }], { rehearsed: 0, verified: 0, wrong: 0, unknown: 1 }],
  ])("count what punishes a wrong yes: %s", (_, rehearsals, sums) => {
    const results = rehearsals.map((rehearsal) =>
      result(
        "a.c#0",
        rehearsal === undefined ? {} : { rehearsal: { ok: true, problems: [], isUnknown: false, milliseconds: 1, ...rehearsal } },
      ),
    );
    expect(summarize(results).rehearsals).toEqual(sums);
  });

  it("count a fix once for each code", () => {
    expect(summarize(RESULTS).reasons).toEqual([
      { verdict: "no effect", code: "no-change", count: 1 },
      { verdict: "refused", code: "changed-data", count: 1 },
      { verdict: "refused", code: "changed-layout", count: 1 },
      { verdict: "failed", code: "internal error", count: 1 },
    ]);
  });
});

describe("the reports", () => {
  it("as text have a row for each fix that is built, the share, and what speaks against it", () => {
    const text = renderText(REPORT);
    expect(text).toContain("update    a.c#0: 1 changed, 0 new; 15 ms\n");
    expect(text).toContain("refused   c.c#0: changed-data: first <line> second; 15 ms\n");
    expect(text).not.toContain("e.c");
    expect(text).toContain("fixes that become updates: 50.0 %");
    expect(text).toContain("1 of the updates rehearsed, 1 of them verified, 0 wrong\n");
  });

  it("has nothing that an accessibility tool finds wrong, unfolded", async () => {
    const page = openPage(renderHtml(REPORT));
    for (const entry of page.window.document.querySelectorAll("details")) entry.open = true;
    expect(await findPageFaults(page)).toEqual([]);
  });

  it("as HTML hold nothing unescaped and nothing from elsewhere", () => {
    const html = renderHtml(REPORT);
    expect(html).toContain("first &lt;line&gt;");
    expect(html).toContain('<span class="pre">- +0x1  mov &lt;a&gt;</span>');
    expect(html).not.toMatch(/<(link|img|script src)|https?:/);
    expect(html.match(/<tr class=/g)).toHaveLength(RESULTS.length);
  });

  it("as Markdown have a line for each verdict and reason", () => {
    expect(renderMarkdown(REPORT)).toContain("| refused | `changed-layout` | 1 |");
  });
});
