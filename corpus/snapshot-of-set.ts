import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Refusal, type Progress } from "../src/diagnostics.js";
import { parseObject } from "../src/elf/parse-object.js";
import { writeObject } from "../src/elf/write-object.js";
import { isFile } from "../src/kbuild/files.js";
import { packageRoot } from "../src/package-root.js";
import { runCommand } from "../src/rehearse/run-command.js";
import { findRehearsalKernel } from "../src/rehearse/rehearsal-kernel.js";
import { makeTemporary, removeTemporary } from "../src/temporary.js";
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
export async function takeSnapshot(tree: string, modules: readonly string[], cacheDir: string, progress: Progress): Promise<SetSnapshot> {
  const kernel = await findRehearsalKernel(tree);
  const wanted = [...new Set(modules)].sort();
  const key = createHash("sha256")
    .update(["1", kernel.release, ...wanted].join("\n"))
    .digest("hex")
    .slice(0, 16);
  const path = join(cacheDir, "corpus", "snapshots", `${kernel.release}-${key}`);
  const record = `${path}.json`;
  const { default: fs } = await import("node:fs/promises");
  if ((await isFile(path)) && (await isFile(record)))
    return { path, notLoaded: new Map(JSON.parse(await fs.readFile(record, "utf8")) as [string, string][]) };

  await mkdir(dirname(path), { recursive: true });
  // On the same file system as the cache: a snapshot is large.
  const share = await makeTemporary(join(dirname(path), "unfinished-"));
  let machine: Machine | undefined;
  try {
    progress(`booting ${kernel.release} to load ${wanted.length} modules`);
    const order = await writeModules(kernel.modulesDir, wanted, join(share, "modules"));
    machine = await bootMachine({
      ...kernel,
      consoleLog: join(share, "console.log"),
      memoryMiB: MEMORY_MIB,
      share,
      expose: [packageRoot(), dirname(process.execPath)],
    });
    progress(`loading ${order.length} modules`);
    const notLoaded = await loadModules(machine, order, join(share, "modules"));
    progress("saving the kernel's memory");
    const result = await runCommand(machine, "snapshot", [join(share, "snapshot"), "--quiet"]);
    if (result.exitCode !== 0)
      throw new Refusal({ code: "no-snapshot", message: `ksplice snapshot failed in the virtual machine:\n${result.stderr}` });
    await machine.powerOff();
    await rename(join(share, "snapshot"), path);
    await writeFile(record, JSON.stringify([...notLoaded]));
    return { path, notLoaded };
  } finally {
    await machine?.powerOff();
    await removeTemporary(share);
  }
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
function withoutInit(module: Uint8Array, name: string): Uint8Array {
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
