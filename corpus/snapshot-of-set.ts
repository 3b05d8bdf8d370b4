import { hashOf, namesIn } from "../src/host/files.js";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Refusal } from "../src/diagnostics.js";
import type { Tell } from "../src/events.js";
import { parseObject } from "../src/elf/parse-object.js";
import { writeObject } from "../src/elf/write-object.js";
import { packageRoot } from "../src/host/package-root.js";
import { findRehearsalKernel } from "../src/rehearse/rehearsal-kernel.js";
import { openKernelTree } from "../src/tree/open-tree.js";
import { readNeededMap } from "../src/tree/system-map.js";
import { makeTemporary, removeTemporary } from "../src/host/temporary.js";
import { bootMachine, type Machine } from "../vm/machine.js";
import { ModuleFiles } from "../vm/module-files.js";

/** A snapshot of the set's kernel, and what could not be loaded into it. */
export interface SetSnapshot {
  readonly path: string;
  /** Module → insmod's words. */
  readonly notLoaded: ReadonlyMap<string, string>;
}

const MEMORY_MIB = 6144;
const TIMEOUT_MS = 1_800_000;

/**
 * Boots the kernel of a tree in a virtual machine, loads modules, and takes a snapshot; one that is there for the same kernel and modules
 * is taken. The modules' init functions do not run: most drivers would not stay without their hardware. All that the kernel's loader does to a module's
 * code is done.
 * @param modules names of the modules to load, besides those that they depend on
 */
export async function takeSnapshot(tree: string, modules: readonly string[], cacheDir: string, tell: Tell): Promise<SetSnapshot> {
  const kernel = await findRehearsalKernel(tree, cacheDir);
  const wanted = [...new Set(modules)].sort();
  // A kernel of one's own has the release that an earlier build of it had.
  const image = hashOf([await readFile(kernel.kernel)]).slice(0, 8);
  const directory = join(cacheDir, "corpus", "snapshots", `${kernel.release}-${image}`);
  const existing = await findSnapshot(directory, wanted);
  if (existing !== undefined) return existing;

  const path = join(directory, createHash("sha256").update(wanted.join("\n")).digest("hex").slice(0, 16));
  await mkdir(directory, { recursive: true });
  // On the same file system as the cache: a snapshot is large.
  const share = await makeTemporary("unfinished-", directory);
  let machine: Machine | undefined;
  try {
    tell("stage", `booting ${kernel.release} to load ${wanted.length} modules`);
    const order = await writeModules(kernel.modulesDir, wanted, join(share, "modules"));
    machine = await bootMachine({
      ...kernel,
      consoleLog: join(share, "console.log"),
      memoryMiB: MEMORY_MIB,
      share,
      expose: [packageRoot(), dirname(process.execPath)],
    });
    tell("stage", `loading ${order.length} modules`);
    const notLoaded = await loadModules(machine, order, join(share, "modules"));
    tell("stage", "saving the kernel's memory");
    const map = await writeNeededMap(tree, share, tell);
    const command = [process.execPath, join(packageRoot(), "dist/cli/ksplice.cjs"), "snapshot", "--quiet", ...map, join(share, "snapshot")];
    const result = await machine.run(command, { timeoutMs: TIMEOUT_MS });
    if (result.exitCode !== 0)
      throw new Refusal({ code: "no-snapshot", message: `ksplice snapshot failed in the virtual machine:\n${result.stderr}` });
    await machine.powerOff();
    await rename(join(share, "snapshot"), path);
    // Written last: where it is, the snapshot is whole.
    await writeFile(`${path}${RECORD}`, JSON.stringify({ modules: wanted, notLoaded: [...notLoaded] } satisfies SnapshotRecord));
    return { path, notLoaded };
  } finally {
    await machine?.powerOff();
    await removeTemporary(share);
  }
}

/** @returns the options of `ksplice snapshot` for a kernel that does not tell where its variables are */
async function writeNeededMap(tree: string, share: string, tell: Tell): Promise<string[]> {
  const map = await readNeededMap(await openKernelTree(tree), tell);
  if (map === undefined) return [];
  const path = join(share, "System.map");
  await writeFile(path, map);
  return ["--system-map", path];
}

/** What is written down beside a snapshot. */
interface SnapshotRecord {
  readonly modules: readonly string[];
  readonly notLoaded: readonly (readonly [string, string])[];
}

const RECORD = ".json";

/** A snapshot that holds all of these modules. */
async function findSnapshot(directory: string, modules: readonly string[]): Promise<SetSnapshot | undefined> {
  for (const name of await namesIn(directory)) {
    if (!name.endsWith(RECORD)) continue;
    const record = JSON.parse(await readFile(join(directory, name), "utf8")) as SnapshotRecord;
    const held = new Set(record.modules);
    if (modules.every((module) => held.has(module)))
      return { path: join(directory, name.slice(0, -RECORD.length)), notLoaded: new Map(record.notLoaded) };
  }
  return undefined;
}

/** Writes the modules without their init functions, and gives their names in the order of loading. */
async function writeModules(modulesDir: string, names: readonly string[], directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files = await ModuleFiles.read(modulesDir);
  const order: string[] = [];
  for (const { name, data } of await files.withDependencies(names)) {
    await writeFile(join(directory, `${name}.ko`), withoutInit(data, name));
    order.push(name);
  }
  return order;
}

/** `struct module` has a pointer to the init function, which the kernel calls if it is not NULL (do_init_module in kernel/module/main.c, Linux 6.1). */
export function withoutInit(module: Uint8Array, name: string): Uint8Array {
  const object = parseObject(module, `${name}.ko`);
  for (const section of object.sections)
    if (section.name === ".gnu.linkonce.this_module")
      section.relocations = section.relocations.filter(({ symbol }) => symbol.name !== "init_module");
  return writeObject(object);
}

/** All in one command of the guest: a thousand commands would take long. */
async function loadModules(machine: Machine, order: readonly string[], directory: string): Promise<Map<string, string>> {
  const list = order.map((name) => `${name}\n`).join("");
  const script = `while read -r name; do
[ -e "/sys/module/$name/initstate" ] && continue
words=$(busybox insmod ${directory}/$name.ko 2>&1) || echo "$name $words"
done`;
  const { stdout } = await machine.run(script, { input: list, timeoutMs: TIMEOUT_MS });
  return new Map(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line): [string, string] => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
}
