import { END, logarithmic, MIDDLE, rule, short, STROKES, text, type Scale } from "./svg.js";

/** A line of a plot: points from left to right. */
export interface PlotLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly PlotLine[];
}

const SIZE = { width: 720, height: 420, left: 90, right: 150, top: 40, bottom: 60 } as const;
/** Told apart without colours too: each line has dashes of its own. */
const DASHES = ["", "8 3", "3 3", "10 3 3 3", "1 4", "14 4"] as const;

/** Both axes logarithmic, so that what is proportional is a straight line. @returns an SVG document */
export function drawLinePlot({ title, xTitle, yTitle, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const x = logarithmic(
    points.map(([value]) => value),
    SIZE.left,
    SIZE.width - SIZE.right,
  );
  const y = logarithmic(
    points.map(([, value]) => value),
    SIZE.height - SIZE.bottom,
    SIZE.top,
  );
  const bottom = SIZE.height - SIZE.bottom;
  const right = SIZE.width - SIZE.right;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#ffffff"/>`,
    text(SIZE.left, 22, title, 'font-weight="bold"'),
    text((SIZE.left + right) / 2, SIZE.height - 15, xTitle, 'text-anchor="middle"'),
    text(0, 0, yTitle, `text-anchor="middle" transform="translate(18 ${(SIZE.top + bottom) / 2}) rotate(-90)"`),
    ...x.decades.flatMap((value) => [
      rule(x.at(value), SIZE.top, x.at(value), bottom),
      text(x.at(value), bottom + 18, short(value), MIDDLE),
    ]),
    ...y.decades.flatMap((value) => [
      rule(SIZE.left, y.at(value), right, y.at(value)),
      text(SIZE.left - 8, y.at(value) + 4, short(value), END),
    ]),
    ...lines.flatMap((line, index) => drawLine(line, index, x.at, y.at, right)),
    "</svg>",
    "",
  ].join("\n");
}

function drawLine({ name, points }: PlotLine, index: number, x: Scale, y: Scale, right: number): string[] {
  const stroke = STROKES[index % STROKES.length] ?? "#000000";
  const dashes = DASHES[index % DASHES.length] ?? "";
  const places = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`);
  const [, last] = points.at(-1) ?? [0, 1];
  return [
    `<polyline points="${places.join(" ")}" fill="none" stroke="${stroke}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
    ...points.map(([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${stroke}"/>`),
    text(right + 10, y(last) + 4, name, `fill="${stroke}"`),
  ];
}
