import { describe, expect, it } from "vitest";
import { renderHtml } from "../../../corpus/report-html.js";
import { renderMarkdown } from "../../../corpus/report-markdown.js";
import { renderText } from "../../../corpus/report-text.js";
import { summarize } from "../../../corpus/summary.js";
import type { FileResult } from "../../../corpus/types.js";

const result = (file: string, more: Partial<FileResult>): FileResult => ({
  file,
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
  result("a.c", { changed: [changed] }),
  result("b.c", {}),
  result("c.c", {
    verdict: "refused",
    code: "changed-data",
    reason: "first <line>\nsecond",
    refused: [refused("changed-data"), refused("changed-data"), refused("changed-layout")],
  }),
  result("d.c", { verdict: "no effect", code: "no-change", reason: "same" }),
  result("e.c", { verdict: "not built", code: "not-in-config" }),
  result("f.c", { verdict: "failed", reason: "Error: x" }),
];
const REPORT = { from: "1-1", to: "1-2", seconds: 9, results: RESULTS };

describe("the sums of a run", () => {
  it("score updates against refusals and failures only", () => {
    expect(summarize(RESULTS).score).toBe(0.5);
    expect(summarize([]).score).toBe(1);
    const together = result("g.c", { verdict: "not alone", code: "changed-layout", companions: ["g.h"] });
    const incomplete = result("h.c", { verdict: "not alone", code: "does-not-compile" });
    const { score, strictScore } = summarize([...RESULTS, together, incomplete]);
    expect([score, strictScore]).toEqual([0.5, 0.4]);
  });

  it("count a file once for each code", () => {
    expect(summarize(RESULTS).reasons).toEqual([
      { verdict: "no effect", code: "no-change", count: 1 },
      { verdict: "refused", code: "changed-data", count: 1 },
      { verdict: "refused", code: "changed-layout", count: 1 },
      { verdict: "failed", code: "internal error", count: 1 },
    ]);
  });
});

describe("the reports", () => {
  it("as text have a row for each file that is built, and the score", () => {
    const text = renderText(REPORT);
    expect(text).toContain("update    a.c: 1 changed, 0 new; 15 ms\n");
    expect(text).toContain("refused   c.c: changed-data: first <line> second; 15 ms\n");
    expect(text).not.toContain("e.c");
    expect(text).toContain("score: 50.0 %");
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
