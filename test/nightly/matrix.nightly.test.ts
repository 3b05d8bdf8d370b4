import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFigures, type KernelFigures } from "../../matrix/figures.js";
import { packageRoot } from "../../src/host/package-root.js";

/** Every kernel that Debian has: what `npm run matrix` measures of each must be as docs/kernels.md says. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-matrix-"));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** The series whose flavours are all tried elsewhere, too; of others it is the plain one. */
const KNOWN = /^6\.(?:1|12)\./;
const isPlain = (release: string): boolean => !/-(?:cloud|rt)-[^-]+$/.test(release);

let measured: readonly KernelFigures[];
beforeAll(async () => {
  const json = join(dir, "figures.json");
  const { stderr } = await execa(process.execPath, [join(packageRoot(), "dist/matrix/run-matrix.js"), "--json", json], { reject: false });
  try {
    measured = parseFigures(readFileSync(json, "utf8"));
  } catch (error) {
    throw new Error(`npm run matrix has left no figures: ${stderr.slice(-2000)}`, { cause: error });
  }
}, 28_800_000);

describe("of the kernels that Debian has", () => {
  it("all flavours of the series that are known are measured", () => {
    const known = measured.filter(({ version }) => KNOWN.test(version));
    expect(known.length).toBeGreaterThanOrEqual(9);
    expect(known.filter(({ refused }) => refused !== undefined)).toEqual([]);
  });

  it("19 of 20 functions match on each, and what does not is explained", () => {
    for (const { release, matching } of measured) {
      if (matching === undefined) continue;
      expect(matching.matched / matching.functions, release).toBeGreaterThanOrEqual(0.95);
      expect(matching.mismatches.filter(({ cause }) => cause === "")).toEqual([]);
    }
  });

  it("no update is wrong, and none is refused for a bug of ours", () => {
    for (const { release, fixes } of measured) expect([release, fixes?.wrong ?? [], fixes?.failed ?? []]).toEqual([release, [], []]);
  });

  it("the plain flavour of every other series is measured, and whatever is refused is before an update is made", () => {
    const others = measured.filter(({ version }) => !KNOWN.test(version));
    expect(others.filter(({ release, refused }) => isPlain(release) && refused !== undefined)).toEqual([]);
    const refused = others.filter((figures) => figures.refused !== undefined);
    expect(refused.map(({ fixes }) => fixes)).toEqual(refused.map(() => undefined));
  });
});
