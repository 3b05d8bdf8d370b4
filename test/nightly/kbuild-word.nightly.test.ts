import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { readTextIfThere } from "../../src/host/files.js";
import { findContradiction } from "../../src/kbuild/reach/image-witness.js";
import { IncludeGraph } from "../../src/kbuild/reach/include-graph.js";
import { makeKernel, withBuildLock } from "../../src/kbuild/make.js";
import { openKernelTree } from "../../src/tree/open-tree.js";
import { prepareBuild } from "../../src/kbuild/prepare-build.js";
import { parseSavedCommand } from "../../src/kbuild/compile/saved-command.js";
import { judgeTouchedFile } from "../../src/kbuild/change/touched-files.js";
import type { PreparedBuild } from "../../src/kbuild/types.js";
import { commandOf } from "../../src/kbuild/compile/unit-command.js";
import { UnitIndex } from "../../src/kbuild/compile/unit-index.js";
import { patchOfEdits } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import { shuffled } from "../../corpus/shuffled.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/** What kbuild says in a dry run, held against what it does, and against the image that it made. */

/** Which objects. Others: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);
const OBJECTS = Number(process.env["KSPLICE_TEST_OBJECTS"] ?? 100);
const ORPHANS = 300;

let build: PreparedBuild;
let index: UnitIndex;
beforeAll(async () => {
  const { path } = await testTree("6.1");
  build = await prepareBuild(await openKernelTree(path), { cacheDir: defaultCacheDir(process.env), jobs: 2 });
  index = await UnitIndex.of(build);
});

describe("kbuild's answer", () => {
  it("is the command that it runs", async () => {
    const chosen = shuffled(
      index.objects.filter(({ kind }) => kind === "c"),
      SEED,
    ).slice(0, OBJECTS);
    const others = chosen.some(({ object }) => object.includes("/../"))
      ? []
      : index.objects.filter(({ object }) => object.includes("/../")).slice(0, 1);
    const objects = [...chosen, ...others];
    await withBuildLock(build.cacheDir, async () => {
      for (const { object } of objects) await rm(join(build.outDir, object), { force: true });
      // In turn, for an object that two makefiles make: the right one is the last (char/ipmi/ in drivers/Makefile).
      await makeKernel({ ...build, source: build.tree.source }, ["-k", ...objects.map(({ object }) => object)]);
    });
    const different: string[] = [];
    for (const entry of objects) {
      const text = await readTextIfThere(join(build.outDir, dirname(entry.object), `.${basename(entry.object)}.cmd`));
      const saved = text === undefined ? undefined : parseSavedCommand(text);
      const told = await commandOf(index, entry);
      if (saved === undefined || JSON.stringify([saved.compile, saved.objtool]) !== JSON.stringify([told.compile, told.objtool]))
        different.push(entry.path);
    }
    expect(different).toEqual([]);
  });

  it("names every module of the image, and no other", async () => {
    const directory = join(build.tree.configDir, "image/lib/modules");
    const shipped = new Set(
      (await readdir(directory, { recursive: true }))
        .filter((name) => /\.ko(?:\.xz)?$/.test(name))
        .map((name) =>
          basename(name)
            .replace(/\.ko(?:\.xz)?$/, "")
            .replaceAll("-", "_"),
        ),
    );
    const targets = new Set(index.objects.flatMap((entry) => (entry.kind === "c" ? entry.targets : [])));
    targets.delete("vmlinux");
    expect([...shipped].filter((name) => !targets.has(name)).sort()).toEqual([]);
    expect([...targets].filter((name) => !shipped.has(name)).sort()).toEqual([]);
    expect(shipped.size).toBeGreaterThan(3000);
  });

  it("leaves out no C file whose code the image holds", async () => {
    const graph = await IncludeGraph.ofTree(build.tree.source);
    const compiled = new Set(index.objects.map(({ source }) => source));
    const isCompiled = (file: string): boolean => compiled.has(file);
    const orphans: string[] = [];
    for (const top of graph.directories)
      for (const name of await readdir(join(build.tree.source, top), { recursive: true })) {
        const path = join(top, name);
        if (path.endsWith(".c") && judgeTouchedFile(path).kind === "compile" && !isCompiled(path)) orphans.push(path);
      }
    const contradictions: string[] = [];
    for (const path of shuffled(orphans, SEED).slice(0, ORPHANS)) {
      const users = await graph.includersOf([path]);
      if ([...users].some(isCompiled)) continue;
      const found = await findContradiction(build.tree, path, isCompiled);
      if (found !== undefined) contradictions.push(`${path}: ${found.holder} holds ${found.functions.join(", ")}`);
    }
    expect(contradictions).toEqual([]);
  });

  it("makes units of both modules that have an object", async () => {
    const workshop = new Workshop();
    try {
      const file = "drivers/net/ethernet/cavium/liquidio/octeon_mailbox.c";
      const patch = patchOfEdits(build.tree.source, [
        { file, at: /\n\tif \(\(msg\.u64 == OCTEON_PFVFACK\)/, to: "\n\tif (msg.u64 == 77)\n\t\tmbox->state = 0;$&" },
      ]);
      const update = await workshop.create(build.tree.source, "liquid", patch);
      const shown = await runHost("view", ["--file", update, "--json"]);
      expect(shown.stdout).toMatch(/liquidio_vf/);
      expect(shown.stdout).toMatch(/"liquidio"/);
    } finally {
      workshop.end();
    }
  });
});
