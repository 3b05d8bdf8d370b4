import type { Tell } from "../../../src/events.js";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { findNextSource, fixFromNextSource } from "../../../lab/archive-fix.js";
import { compileProbe } from "../../../lab/compile-probe.js";
import type { ArchiveKernel } from "../../../src/distro/distro.js";
import { usableKernels } from "../../../src/distro/debian/usable-kernels.js";
import { readSourceFiles } from "../../../src/distro/debian/debian-source.js";
import { prepareDebianKernel } from "../../../src/distro/debian/prepare-kernel.js";
import { defaultCacheDir } from "../../../src/host/cache-dir.js";
import { ShadowTree } from "../../../src/kbuild/change/shadow-tree.js";
import { patchOfEdits, type Edit } from "../../support/edited-patch.js";
import { runHost } from "../../support/run-host.js";

/** A tree that `ksplice prepare` made, in the user's cache: made now if it is not there. */
export interface TestTree {
  readonly release: string;
  /** Debian version of the source. */
  readonly version: string;
  readonly path: string;
  /** Of the Debian release that has it. */
  readonly suite: string;
}

const tell: Tell = (_, message) => {
  process.stderr.write(`      ${message}\n`);
};

/** The oldest 6.1 kernel, or newest 6.12 one, that the archive has together with its source. @param suite the Debian release whose kernel it is */
export async function testTree(series: "6.1" | "6.12", suite: "bookworm" | "trixie" = "bookworm"): Promise<TestTree> {
  const kernel = (await usableKernels(series, { cacheDir: defaultCacheDir(process.env), suite })).at(series === "6.1" ? 0 : -1);
  if (kernel === undefined) throw new Error(`the archive has no ${series} kernel together with its source`);
  return await prepared(kernel, suite);
}

/** The newest kernel that Debian 13's backports have together with its source. */
export async function backportsTree(): Promise<TestTree> {
  const kernels = await usableKernels("", { cacheDir: defaultCacheDir(process.env), suite: "trixie" });
  const kernel = kernels.findLast(({ version }) => version.includes("~bpo13+"));
  if (kernel === undefined) throw new Error("the archive has no kernel in trixie-backports together with its source");
  return await prepared(kernel, "trixie");
}

async function prepared({ release, version }: ArchiveKernel, suite: string): Promise<TestTree> {
  const cacheDir = defaultCacheDir(process.env);
  const path = join(cacheDir, "trees", release);
  await prepareDebianKernel({ release, dir: path, cacheDir, suite, tell });
  return { release, version, path, suite };
}

function placeOf({ suite }: TestTree): { cacheDir: string; suite: string; tell: Tell } {
  return { cacheDir: defaultCacheDir(process.env), suite, tell };
}

/** A fix as Debian made it of `net/ipv4/raw.c`, in our words: a header that says that it has less than five words is refused. For 6.1. */
export const RAW_FIX: readonly Edit[] = [{ file: "net/ipv4/raw.c", at: /if \(iphlen > length(?=\))/, to: "$& || iphlen < sizeof(*iph)" }];

/** One word more in `/proc/uptime`. */
export const UPTIME_FIX: readonly Edit[] = [
  { file: "fs/proc/uptime.c", at: /"%lu\.%02lu %lu\.%02lu\\n"/, to: '"%lu.%02lu %lu.%02lu patched\\n"' },
];

/** One of `drivers/i2c/i2c-dev.c`, a module: a timeout that would overflow is refused. */
export const I2C_FIX: readonly Edit[] = [{ file: "drivers/i2c/i2c-dev.c", at: /case I2C_TIMEOUT:\s*if \(arg > INT_MAX/, to: "$& / 10" }];

/** The change that the next source in the archive makes to a file. @throws Error if there is none: the test must then choose another */
export async function archivePatch(tree: TestTree, file: string): Promise<string> {
  const fix = await fixFromNextSource(tree.path, tree.version, file, placeOf(tree));
  if (fix === undefined) throw new Error(`the archive has no later change to ${file} of ${tree.version}`);
  return fix.patch;
}

/** The same for many files at once: the archive's source is unpacked once. */
export async function archivePatches(tree: TestTree, files: readonly string[]): Promise<Map<string, string>> {
  const next = await findNextSource(tree.version, placeOf(tree));
  if (next !== undefined) await readSourceFiles(next, files, placeOf(tree));
  const patches = new Map<string, string>();
  for (const file of files) patches.set(file, await archivePatch(tree, file));
  return patches;
}

/** A directory of the test's own: updates, patches, probes. */
export class Workshop {
  readonly #trees: string[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), "ksplice-workshop-"));

  /** Runs `ksplice-create`, which must succeed. @returns the update's path */
  async create(tree: string, id: string, patch: string, ...options: string[]): Promise<string> {
    const file = join(this.dir, `${id}.patch`);
    writeFileSync(file, patch, "latin1");
    const update = join(this.dir, `ksplice-${id}.tar.gz`);
    const result = await runHost("create", [`--patch=${file}`, `--id=${id}`, `--output=${update}`, "--quiet", ...options, tree]);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    return update;
  }

  /** An update that makes the edits. */
  async createOfEdits(tree: string, id: string, edits: readonly Edit[]): Promise<string> {
    return await this.create(tree, id, patchOfEdits(tree, edits));
  }

  /**
   * What a user has who keeps changed files in the tree: the tree with these files in it, by path. Made of links, for speed.
   * @returns its path
   */
  async treeWith(tree: TestTree, files: ReadonlyMap<string, string>): Promise<string> {
    const { root } = await ShadowTree.create(tree.path, files);
    this.#trees.push(root);
    return root;
  }

  async probe(name: string): Promise<string> {
    return await compileProbe(name, this.folder("probes"));
  }

  folder(name: string): string {
    const path = join(this.dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  end(): void {
    for (const dir of [this.dir, ...this.#trees]) rmSync(dir, { recursive: true, force: true });
  }
}
