import axe from "axe-core";
import { JSDOM } from "jsdom";

/** A page as a browser has it, its own scripts run. */
export function openPage(html: string): JSDOM {
  return new JSDOM(html, { runScripts: "dangerously", pretendToBeVisual: true });
}

/**
 * What an accessibility tool finds wrong with a page, a line each: the rules of WCAG 2.2 A and AA, and its good habits. Contrast needs a browser that draws, and is
 * not among it: {@link contrast} does the sums.
 */
export async function findPageFaults(page: JSDOM): Promise<string[]> {
  const { window } = page;
  window.eval(axe.source);
  const { violations } = (await window.eval(`axe.run(document, { rules: { "color-contrast": { enabled: false } } })`)) as axe.AxeResults;
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 120)}`));
}

/** Contrast of two colours, `#rgb` or `#rrggbb`, by WCAG 2.2: from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? Array.from(colour.slice(1), (digit) => digit + digit) : (colour.slice(1).match(/../g) ?? []);
  const [red = 0, green = 0, blue = 0] = digits.map((hex) => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
