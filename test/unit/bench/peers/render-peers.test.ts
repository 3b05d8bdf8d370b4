import { describe, expect, it } from "vitest";
import { mergeFigures, parseFigures, type KernelFigures, type ToolFigures } from "../../../../bench/peers/figures.js";
import { drawTimes, renderPeers } from "../../../../bench/peers/render-peers.js";

const KPATCH: ToolFigures = { name: "kpatch-build", version: "0.9.10", means: "the source", failed: "ERROR: a\n\nERROR: b" };
const KLP: ToolFigures = {
  name: "klp-build",
  version: "of Linux 7.3.4",
  means: "the source too",
  first: { seconds: 605, processorSeconds: 1000 },
  second: { seconds: 99.94, processorSeconds: 90 },
  disk: 3 * 2 ** 30,
  update: 300 * 1024,
  running: {
    call: 80.25,
    loaded: 16_384,
    switching: [
      { threads: 120, stopped: 0, switched: 1_500_250_000 },
      { threads: 2020, stopped: 0, switched: 2e9 },
    ],
  },
};
const OURS: ToolFigures = {
  name: "ksplice",
  version: "1.0",
  means: "the build",
  first: { seconds: 20, processorSeconds: 25 },
  second: { seconds: 3, processorSeconds: 2.5 },
  disk: 5 * 2 ** 20,
  update: 32 * 1024,
  running: { call: 2, loaded: 90_112, switching: [{ threads: 120, stopped: 812_345, switched: 812_345 }] },
};
const of = (tools: readonly ToolFigures[], series = "7.3"): KernelFigures => ({
  release: `${series}.4-own`,
  series,
  host: "2 cores",
  month: "2026-11",
  tools: [...tools],
});

describe("the table", () => {
  const lines = renderPeers([of([KPATCH, KLP, OURS])]).split("\n");
  const row = (begin: string): string[] =>
    (lines.find((line) => line.startsWith(`| ${begin}`)) ?? "").split("|").map((cell) => cell.trim());

  it("has a column for each tool that made the update", () => {
    expect(lines).toContain("|  | klp-build of Linux 7.3.4 | ksplice 1.0 |");
    expect(new Set(lines.filter((line) => line.startsWith("|")).map((line) => line.split("|").length))).toEqual(new Set([5]));
  });

  it.each([
    ["time to the first update", "10 min 5 s (16 min 40 s)", "20.0 s (25.0 s)"],
    ["time to the second", "99.9 s (90.0 s)", "3.0 s (2.5 s)"],
    ["disk", "3.0 GiB", "5.0 MiB"],
    ["size of the update", "300 KiB", "32 KiB"],
    ["a call costs more", "80.3", "2.0"],
    ["all stand still, 120 threads", "not at all", "812 k"],
    ["until all run new code, 120 threads", "1500 ms", "0.812 ms"],
    // Not measured is not nothing.
    ["all stand still, 2020 threads", "not at all", ""],
  ])("says of %s", (what, theirs, ours) => {
    expect(row(what).slice(2, 4)).toEqual([theirs, ours]);
  });

  it("brings the words of a tool that made none", () => {
    expect(lines.join("\n")).toContain("kpatch-build 0.9.10 makes no update of it:\n\n    ERROR: a\n\n    ERROR: b");
  });
});

it("minutes and seconds are rounded together", () => {
  const slow = { ...KLP, first: { seconds: 119.7, processorSeconds: 239.6 } };
  expect(renderPeers([of([slow])])).toContain("| 2 min 0 s (4 min 0 s) |");
});

describe("the plot", () => {
  it("has a bar for each tool and time, and none for a tool that made no update", () => {
    const svg = drawTimes([of([KPATCH, KLP, OURS]), of([OURS], "6.12")]);
    expect(svg.match(/<rect x="170"/g)).toHaveLength(6);
    expect(svg).not.toContain("kpatch-build");
  });
});

describe("new figures", () => {
  it("take the place of those of the same tool and kernel, and the rest stays in order", () => {
    const known = [of([OURS], "6.12"), of([KPATCH, { ...OURS, version: "0.9" }])];
    const merged = mergeFigures(known, of([KLP, OURS]));
    expect(merged.map(({ series, tools }) => [series, tools.map(({ name, version }) => `${name} ${version}`)])).toEqual([
      ["7.3", ["kpatch-build 0.9.10", "klp-build of Linux 7.3.4", "ksplice 1.0"]],
      ["6.12", ["ksplice 1.0"]],
    ]);
  });

  it("are read as they are written, and nothing else is", () => {
    expect(parseFigures(JSON.stringify([of([KLP, KPATCH])]))).toEqual([of([KLP, KPATCH])]);
    expect(() => parseFigures('[{"release": "7.3.4-own"}]')).toThrow();
  });
});
