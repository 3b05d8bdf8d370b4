import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTrees } from "../../corpus/changed-files.js";
import { openSet } from "../../corpus/open-set.js";
import { SAMPLE_SET } from "../../corpus/sample.js";
import { diffObjects } from "../../src/diff/diff-objects.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { defaultCacheDir } from "../../src/kbuild/cache-dir.js";
import { compileUnit } from "../../src/kbuild/compile-unit.js";
import { unifiedDiff } from "../../src/kbuild/diff-texts.js";
import { headerReach } from "../../src/kbuild/header-reach.js";
import { IncludeGraph } from "../../src/kbuild/include-graph.js";
import { openKernelTree } from "../../src/kbuild/open-tree.js";
import { shadowWithPatch } from "../../src/kbuild/patch-tree.js";
import { prepareBuild } from "../../src/kbuild/prepare-build.js";
import { readLatin1 } from "../../src/kbuild/read-change.js";
import { findUnitCommands, type UnitCommand } from "../../src/kbuild/unit-command.js";
import { findUnitSources } from "../../src/kbuild/unit-sources.js";
import { shuffled } from "../support/shuffled.js";

/** A property of real changes: a unit that mentions nothing of what a header gets anew is compiled to what it was. */

/** Which units of each header. Others: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);
const UNITS_PER_HEADER = 3;
/** Asked of kbuild, for the configuration has not all of them. */
const CANDIDATES = 12;

describe("units that include a header, and that its new names do not reach", () => {
  it("are compiled to the same code", async () => {
    const cacheDir = defaultCacheDir();
    const progress = (): void => undefined;
    const set = await openSet({ ...SAMPLE_SET, cacheDir, progress });
    const build = await prepareBuild(await openKernelTree(set.fromTree), { cacheDir, progress, jobs: 2 });
    const graph = await IncludeGraph.ofTree(set.fromTree);
    const { changed } = await compareTrees(set.fromTree, set.toTree);
    const different: string[] = [];
    let [headers, units] = [0, 0];
    for (const header of changed.filter((path) => path.endsWith(".h") && !/^(?:arch\/(?!x86)|tools|samples|scripts)/.test(path))) {
      const reach = await headerReach(graph, [header], set.fromTree, set.toTree);
      if (!reach.newNames.has(header)) continue;
      const outside = [...(await graph.includersOf([header]))].filter((path) => path.endsWith(".c") && !reach.files.has(path)).sort();
      const chosen = shuffled(outside, SEED).slice(0, CANDIDATES);
      const commands = await findUnitCommands(
        build,
        chosen.map((path) => path.replace(/\.c$/, ".o")),
      );
      const [pre, post] = await Promise.all([set.fromTree, set.toTree].map((tree) => readLatin1(join(tree, header))));
      const patched = await shadowWithPatch(build.tree, { patch: await unifiedDiff(header, pre, post) });
      try {
        const used: UnitCommand[] = [];
        for (const command of commands.values())
          if (used.length < UNITS_PER_HEADER && (await findUnitSources(build, command))?.includes(header) === true) used.push(command);
        headers += used.length > 0 ? 1 : 0;
        for (const { unit } of used) {
          const before = parseObject((await compileUnit(build, unit)).object, "pre");
          const after = parseObject((await compileUnit(build, unit, { shadow: patched })).object, "post");
          if (diffObjects(before, after).verdict !== "no-change") different.push(`${unit.path} with ${header}`);
          units++;
        }
      } finally {
        await patched.dispose();
      }
    }
    expect(different).toEqual([]);
    expect(headers).toBeGreaterThan(20);
    expect(units).toBeGreaterThan(50);
  });
});
