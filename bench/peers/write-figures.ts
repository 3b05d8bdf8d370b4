import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../src/host/package-root.js";
import { mergeFigures, parseFigures, type KernelFigures } from "./figures.js";
import { drawTimes, renderPeers } from "./render-peers.js";

/** Where the figures stand, the page that has them between two marks, and the plot. */
export const FIGURES = "bench/peers/figures.json";
export const PAGE = "docs/performance.md";
export const PLOT = "docs/peers.svg";
const BETWEEN_MARKS = /(?<=<!-- peers -->\n)[^]*(?=<!-- end of peers -->)/;

/** In place of those of the same tools and kernels. */
export async function writeFigures(measured: readonly KernelFigures[]): Promise<void> {
  const path = (name: string): string => join(packageRoot(), name);
  const merged = measured.reduce(mergeFigures, parseFigures(await readFile(path(FIGURES), "utf8")));
  await writeFile(path(FIGURES), `${JSON.stringify(merged, undefined, 2)}\n`);
  const page = await readFile(path(PAGE), "utf8");
  await writeFile(
    path(PAGE),
    page.replace(BETWEEN_MARKS, () => `\n${renderPeers(merged)}\n\n`),
  );
  await writeFile(path(PLOT), drawTimes(merged));
}
