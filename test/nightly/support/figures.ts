import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../src/host/package-root.js";

/** Figures that a test has measured go into the documentation where this is set; else they are only judged. */
const WRITES = process.env["KSPLICE_WRITE_FIGURES"] !== undefined;

const RELIABILITY = join(packageRoot(), "docs/reliability.md");

/** Puts text between `<!-- NAME -->` and `<!-- end of NAME -->` of docs/reliability.md. */
export function writeFigures(name: string, text: string): void {
  process.stdout.write(`\n${text}\n`);
  if (!WRITES) return;
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const page = readFileSync(RELIABILITY, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no place for ${name}`);
  writeFileSync(RELIABILITY, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}

export function writePlot(file: string, svg: string): void {
  if (WRITES) writeFileSync(join(packageRoot(), "docs", file), svg);
}

/** A table as prettier leaves it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Three digits at most, with a unit behind: 1.25 M. */
export function thousands(value: number): string {
  const [scaled, unit] = value >= 1e6 ? [value / 1e6, " M"] : value >= 1e3 ? [value / 1e3, " k"] : [value, ""];
  return `${Number(scaled.toPrecision(3))}${unit}`;
}
