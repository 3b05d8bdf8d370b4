import { tellNobody } from "../../src/events.js";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTrees } from "../../corpus/changed-files.js";
import { openSet } from "../../corpus/open-set.js";
import { SAMPLE_SET } from "../../corpus/sample.js";
import { diffObjects } from "../../src/diff/diff-objects.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { compileUnit } from "../../src/kbuild/compile/compile-unit.js";
import { unifiedDiff } from "../../src/kbuild/change/diff-texts.js";
import { isSpared } from "../../src/kbuild/reach/expanded-text.js";
import { ALWAYS_INCLUDED, headerReach } from "../../src/kbuild/reach/header-reach.js";
import { IncludeGraph } from "../../src/kbuild/reach/include-graph.js";
import { openKernelTree } from "../../src/tree/open-tree.js";
import { shadowWithPatch } from "../../src/kbuild/change/patch-tree.js";
import { prepareBuild } from "../../src/kbuild/prepare-build.js";
import { has, UnitSets } from "../../src/kbuild/reach/words/unit-sets.js";
import { listSources, openReachIndex } from "../../src/kbuild/reach/words/build-reach-index.js";
import { readLatin1 } from "../../src/host/files.js";
import type { PreparedBuild, Unit } from "../../src/kbuild/types.js";
import { findUnitCommands, type UnitCommand, type UnitWithCommand } from "../../src/kbuild/compile/unit-command.js";
import { findUnitSources } from "../../src/kbuild/compile/unit-sources.js";
import { editHeader } from "../support/header-edits.js";
import { shuffled } from "../../corpus/shuffled.js";

/** A property: a unit that a header's change does not reach is compiled to what it was. */

/** Which units, and which edits. Others: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);
/** How many units are compared. In pieces: KSPLICE_TEST_UNITS=N. */
const UNITS = Number(process.env["KSPLICE_TEST_UNITS"] ?? 240);
/** So many units are asked of kbuild; of each header's those outside are compared. */
const POOL = 120;
const UNITS_PER_CHANGE = 4;

interface Change {
  readonly header: string;
  readonly what: string;
  readonly pre: string;
  readonly post: string;
}

describe("units that include a header, and that its change does not reach", () => {
  it("are compiled to the same code", async () => {
    const cacheDir = defaultCacheDir(process.env);
    const tell = tellNobody;
    const set = await openSet({ ...SAMPLE_SET, cacheDir, tell });
    const build = await prepareBuild(await openKernelTree(set.fromTree), { cacheDir, tell, jobs: 2 });
    const graph = (await IncludeGraph.ofTree(set.fromTree)).asBuilt(await readFile(build.tree.configFile, "utf8"));
    // One index for all: of more files than a single change is closed over.
    const headers = await listSources(set.fromTree, graph.directories);
    const index = await openReachIndex(
      [set.fromTree, build.outDir],
      [...headers, ...(await listSources(build.outDir, ["."]))],
      build.cacheDir,
    );
    const objects = [...graph.includingFiles()]
      .filter((path) => /^(?:block|crypto|drivers|fs|kernel|lib|mm|net|sound)\/.*\.c$/.test(path))
      .sort();
    const pool = await findPool(build, objects);
    const sets = UnitSets.of(
      graph,
      set.fromTree,
      pool.map(({ unit }) => unit.source),
      headers,
      ALWAYS_INCLUDED,
    );
    const unseen: string[] = [];
    for (const [at, { unit, sources }] of pool.entries())
      for (const path of sources)
        if (!path.startsWith("/") && path.endsWith(".h") && !has(sets.of(path) ?? sets.empty(), at)) unseen.push(`${unit.path}: ${path}`);
    expect(unseen, "read by the compiler, and not included by the text").toEqual([]);
    const different: string[] = [];
    let compared = 0;
    let spared = 0;
    for (const change of await changesOf(set.fromTree, set.toTree, pool)) {
      if (compared >= UNITS) break;
      const { header, what } = change;
      const patched = await mkdtemp(join(tmpdir(), "ksplice-header-"));
      const shadow = await shadowWithPatch(build.tree, { patch: await unifiedDiff(header, change.pre, change.post) });
      try {
        await mkdir(dirname(join(patched, header)), { recursive: true });
        await writeFile(join(patched, header), change.post, "latin1");
        const reach = await headerReach(graph, [header], set.fromTree, patched, {
          index: () => Promise.resolve(index),
          outDir: build.outDir,
          among: new Set(pool.map(({ unit }) => unit.source)),
        });
        if (!reach.words.has(header)) continue;
        const outside: UnitWithCommand[] = [];
        for (const { unit, command, sources } of pool) {
          if (!sources.includes(header)) continue;
          if (!reach.files.has(unit.source)) outside.push({ ...unit, command });
          if (!reach.files.has(unit.source) || !(await isSpared(build, command, shadow, reach))) continue;
          spared++;
          outside.unshift({ ...unit, command });
        }
        // Those that only the preprocessor spares are few: all of them.
        const chosen = [...outside.slice(0, 2), ...shuffled(outside.slice(2), SEED + compared)].slice(0, UNITS_PER_CHANGE);
        for (const unit of chosen) {
          const before = parseObject((await compileUnit(build, unit)).object, "pre");
          const after = parseObject((await compileUnit(build, unit, { shadow })).object, "post");
          if (diffObjects(before, after).verdict !== "no-change") different.push(`${unit.path} with ${header}: ${what}`);
          compared++;
        }
      } finally {
        await shadow.dispose();
        await rm(patched, { recursive: true });
      }
    }
    console.log(`${compared} units compared; ${spared} were reached by their text, and not behind the preprocessor`);
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThanOrEqual(UNITS);
  });
});

interface PoolUnit {
  readonly unit: Unit;
  readonly command: UnitCommand;
  /** All that it is compiled from. */
  readonly sources: readonly string[];
}

/** Units of the configuration, at random. */
async function findPool(build: PreparedBuild, objects: readonly string[]): Promise<PoolUnit[]> {
  const found: PoolUnit[] = [];
  const order = shuffled(objects, SEED);
  for (let at = 0; found.length < POOL && at < order.length; at += POOL) {
    const some = order.slice(at, at + POOL).map((path) => path.replace(/\.c$/, ".o"));
    for (const command of (await findUnitCommands(build, some)).values()) {
      const sources = await findUnitSources(build, command);
      if (sources !== undefined && found.length < POOL) found.push({ unit: command.unit, command, sources });
    }
  }
  return found;
}

/** What the release changes in headers that the units include, and edits of other headers of theirs: each in turn. */
async function changesOf(from: string, to: string, pool: readonly PoolUnit[]): Promise<Change[]> {
  const included = new Set(pool.flatMap(({ sources }) => sources.filter((path) => path.endsWith(".h"))));
  const { changed } = await compareTrees(from, to);
  const found: Change[][] = [];
  for (const header of shuffled([...included].sort(), SEED)) {
    const pre = (await readLatin1(join(from, header))) ?? "";
    const edits = editHeader(pre, SEED).map(({ what, text }): Change => ({ header, what, pre, post: text }));
    const edit = edits[found.length % Math.max(1, edits.length)];
    const post = changed.includes(header) ? await readLatin1(join(to, header)) : undefined;
    found.push([...(post === undefined ? [] : [{ header, what: "the release", pre, post }]), ...(edit === undefined ? [] : [edit])]);
  }
  return found.flat();
}
