import { drawBarPlot } from "../plot/bar-plot.js";
import type { KernelFigures, Took, ToolFigures } from "./figures.js";

/** The tables of docs/performance.md, and what the tools said that could not make the update. */
export function renderPeers(all: readonly KernelFigures[]): string {
  return all.map(renderKernel).join("\n\n");
}

function renderKernel({ series, release, host, month, tools }: KernelFigures): string {
  const made = tools.filter(({ failed }) => failed === undefined);
  const row = (what: string, cell: (tool: ToolFigures) => string): string[] => [what, ...made.map(cell)];
  const counts = [...new Set(made.flatMap(({ running }) => (running?.switching ?? []).map(({ threads }) => threads)))].sort(
    (a, b) => a - b,
  );
  const rows = [
    row("time to the first update (of processors)", ({ first }) => given(first, took)),
    row("time to the second (of processors)", ({ second }) => given(second, took)),
    row("disk, after both", ({ disk }) => given(disk, bytes)),
    row("size of the update", ({ update }) => given(update, bytes)),
    row("memory of its modules", ({ running }) => given(running?.loaded, bytes)),
    row("a call costs more, in instructions", ({ running }) => given(running?.call, (value) => value.toFixed(1))),
    ...counts.flatMap((count) => {
      const at = ({ running }: ToolFigures) => running?.switching.find(({ threads }) => threads === count);
      return [
        row(`all stand still, ${count} threads, in instructions`, (tool) => given(at(tool)?.stopped, instructions)),
        row(`until all run new code, ${count} threads`, (tool) => given(at(tool)?.switched, milliseconds)),
      ];
    }),
  ];
  const head = ["", ...made.map(({ name, version }) => `${name} ${version}`)];
  return [
    `Linux ${release} (a small one of Debian's ${series} source); updates made on ${host}, ${month}:`,
    "",
    ...[head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`),
    ...made.flatMap(({ name, means }) => ["", `* ${name} starts from ${means}.`].slice(name === made[0]?.name ? 0 : 1)),
    ...tools.flatMap(({ name, version, failed }) =>
      failed === undefined
        ? []
        : ["", `${name} ${version} makes no update of it:`, "", ...failed.split("\n").map((line) => `    ${line}`.trimEnd())],
    ),
  ].join("\n");
}

/** The times to the updates, on all kernels. @returns an SVG document */
export function drawTimes(all: readonly KernelFigures[]): string {
  const groups = all.flatMap(({ series, tools }) =>
    (["first", "second"] as const).map((key) => ({
      title: `Linux ${series}, the ${key} update`,
      bars: tools.flatMap(({ name, [key]: value }) => (value === undefined ? [] : [{ name, value: value.processorSeconds }])),
    })),
  );
  return drawBarPlot({
    title: "Processor time from a patch to an update",
    xTitle: "seconds",
    groups: groups.filter(({ bars }) => bars.length > 0),
  });
}

function given<T>(value: T | undefined, spell: (value: T) => string): string {
  return value === undefined ? "" : spell(value);
}

function took({ seconds: clock, processorSeconds }: Took): string {
  return `${seconds(clock)} (${seconds(processorSeconds)})`;
}

function seconds(value: number): string {
  const whole = Math.round(value);
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function bytes(value: number): string {
  if (value >= 2 ** 30) return `${(value / 2 ** 30).toFixed(1)} GiB`;
  return value >= 2 ** 20 ? `${(value / 2 ** 20).toFixed(1)} MiB` : `${(value / 1024).toFixed(0)} KiB`;
}

/** Of nanoseconds. */
function milliseconds(value: number): string {
  return `${Number((value / 1e6).toPrecision(3))} ms`;
}

/** Three digits, with a unit behind. */
function instructions(value: number): string {
  if (value === 0) return "not at all";
  const [scaled, unit] = value >= 1e9 ? [value / 1e9, " G"] : value >= 1e6 ? [value / 1e6, " M"] : [value / 1e3, " k"];
  return `${Number(scaled.toPrecision(3))}${unit}`;
}
