import { END, logarithmic, MIDDLE, rule, short, STROKES, text } from "./svg.js";

/** One bar for each name, from the left on. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

export interface BarPlot {
  readonly title: string;
  readonly xTitle: string;
  readonly groups: readonly BarGroup[];
}

const WIDTH = 720;
const LEFT = 170;
const RIGHT = 70;
const TOP = 40;
const BOTTOM = 60;
const BAR = 18;
/** A group's title and the room above it. */
const HEAD = 34;

/** Lying bars, on a logarithmic axis; a name has the same colour in each group. @returns an SVG document */
export function drawBarPlot({ title, xTitle, groups }: BarPlot): string {
  const bars = groups.flatMap((group) => group.bars);
  const x = logarithmic(
    bars.map(({ value }) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const names = [...new Set(bars.map(({ name }) => name))];
  const bottom = TOP + groups.length * HEAD + bars.length * (BAR + 4);
  let y = TOP;
  const drawn: string[] = [];
  for (const group of groups) {
    y += HEAD;
    drawn.push(text(LEFT, y - 8, group.title, ""));
    for (const { name, value } of group.bars) {
      const fill = STROKES[names.indexOf(name) % STROKES.length] ?? "#000000";
      drawn.push(
        text(LEFT - 8, y + 14, name, END),
        `<rect x="${LEFT}" y="${y}" width="${Math.max(1, x.at(value) - LEFT).toFixed(1)}" height="${BAR}" fill="${fill}"/>`,
        text(x.at(value) + 6, y + 14, String(Number(value.toPrecision(3))), ""),
      );
      y += BAR + 4;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${bottom + BOTTOM}" fill="#ffffff"/>`,
    text(LEFT, 22, title, 'font-weight="bold"'),
    text((LEFT + WIDTH - RIGHT) / 2, bottom + 45, xTitle, MIDDLE),
    ...x.decades.flatMap((value) => [rule(x.at(value), TOP, x.at(value), bottom), text(x.at(value), bottom + 18, short(value), MIDDLE)]),
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}
