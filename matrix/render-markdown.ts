import type { KernelFigures } from "./figures.js";

/** The tables of docs/kernels.md. */
export function renderMarkdown(all: readonly KernelFigures[]): string {
  const measured = all.filter(({ refused }) => refused === undefined);
  return [
    "| kernel | Debian | prepare | functions that match | fixes of | judged | updates | no effect | refused | create | rehearsed, verified | wrong |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...measured.map(row),
    "",
    ...all.flatMap(({ refused, release }) =>
      refused === undefined ? [] : [`* ${release}: not measured (\`${refused.code}\`): ${oneLine(refused.message)}`],
    ),
    "",
    ...measured.flatMap(explained),
    "",
  ].join("\n");
}

function row({ release, suite, prepareSeconds, matching, next, fixes }: KernelFigures): string {
  const cells = [
    release,
    suite,
    seconds(prepareSeconds),
    matching === undefined ? "" : `${percent(matching.matched, matching.functions)} of ${matching.functions} (${matching.units} units)`,
    next ?? "none yet",
    ...(fixes === undefined
      ? ["", "", "", "", "", "", ""]
      : [
          fixes.judged,
          fixes.updates,
          fixes.noEffect,
          fixes.refused.length,
          seconds(fixes.createSeconds),
          rehearsed(fixes),
          fixes.wrong.length,
        ]),
  ];
  return `| ${cells.join(" | ")} |`;
}

function rehearsed({ rehearsed: tried, verified, unknown }: NonNullable<KernelFigures["fixes"]>): string {
  return `${tried}, ${verified}${unknown === 0 ? "" : ` (${unknown} not known)`}`;
}

/** What is not as it should be, or was refused, by name. */
function explained({ release, matching, fixes }: KernelFigures): string[] {
  const said = [
    ...(fixes?.refused.map(({ fix, code }) => `\`${fix}\` refused as \`${code}\``) ?? []),
    ...(fixes?.failed.map((words) => `failed: ${oneLine(words)}`) ?? []),
    ...(fixes?.wrong.map((words) => `wrong: ${oneLine(words)}`) ?? []),
    ...(matching?.mismatches.map(({ unit, functions, cause }) => `\`${unit}\`: ${functions.join(", ")} not found (${oneLine(cause)})`) ??
      []),
    ...(matching !== undefined && matching.unknownUnits > 0
      ? [`${matching.unknownUnits} units are of modules that could not be loaded`]
      : []),
  ];
  return said.length === 0 ? [] : [`* ${release}: ${said.join("; ")}`];
}

function seconds(value: number | undefined): string {
  return value === undefined ? "" : `${value} s`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "none" : `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
