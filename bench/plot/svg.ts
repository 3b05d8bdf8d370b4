/** Parts of a plot as SVG. */

/** Colours of what is to be told apart. */
export const STROKES = ["#1b6ca8", "#c0392b", "#2e7d32", "#6a3d9a", "#b9770e", "#444444"] as const;

export const MIDDLE = 'text-anchor="middle"';
export const END = 'text-anchor="end"';

/** Where on the axis a value is. */
export type Scale = (value: number) => number;

/** From whole powers of ten to whole powers of ten around the values. */
export function logarithmic(values: readonly number[], from: number, to: number): { at: Scale; decades: number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

export function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e4 ? `${value / 1e3} k` : String(value);
}

export function rule(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="#dddddd"/>`;
}

export function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}
