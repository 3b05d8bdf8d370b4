import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import type { BuildRoot } from "../src/host/build-root.js";
import { hashOf } from "../src/host/files.js";
import { runTool } from "../src/host/run-tool.js";
import { listSourceFiles } from "../src/tree/source-files.js";

/** What a machine of the tests needs of a kernel, over `tinyconfig`: a console, 9p over virtio, programs, Node, modules, and what applying reads. */
const NEEDED = [
  ...["64BIT", "SMP", "EXPERT", "DEBUG_KERNEL", "PRINTK", "BUG", "MULTIUSER", "HIGH_RES_TIMERS", "RELOCATABLE", "RANDOMIZE_BASE"],
  ...["MODULES", "MODULE_UNLOAD", "KALLSYMS", "KALLSYMS_ALL", "PROC_FS", "PROC_KCORE", "SYSFS", "UNWINDER_ORC", "STACKTRACE"],
  ...[
    "TTY",
    "SERIAL_8250",
    "SERIAL_8250_CONSOLE",
    "BLK_DEV_INITRD",
    "BINFMT_ELF",
    "BINFMT_SCRIPT",
    "DEVTMPFS",
    "DEVTMPFS_MOUNT",
    "TMPFS",
    "SHMEM",
  ],
  ...["NET", "UNIX", "INET", "PCI", "VIRTIO_MENU", "VIRTIO_PCI", "NET_9P", "NET_9P_VIRTIO", "NETWORK_FILESYSTEMS", "9P_FS"],
  ...[
    "EPOLL",
    "FUTEX",
    "EVENTFD",
    "TIMERFD",
    "SIGNALFD",
    "POSIX_TIMERS",
    "AIO",
    "ADVISE_SYSCALLS",
    "MEMBARRIER",
    "FILE_LOCKING",
    "INOTIFY_USER",
  ],
  ...["NETDEVICES", "NET_CORE", "CC_OPTIMIZE_FOR_PERFORMANCE"],
];

export interface OwnKernel {
  /** Its source, in which it is built. */
  readonly tree: string;
  readonly release: string;
}

export interface OwnKernelOptions {
  /** Further lines of `.config`; they count where a machine of the tests would need another. Each must come out as it is asked for. */
  readonly config?: readonly string[];
  /** Variables of make's command line: `LLVM=1`. */
  readonly variables?: readonly string[];
  /** Whose compiler builds it; default: this machine's. */
  readonly root?: BuildRoot;
}

/**
 * A small kernel, built in its source as a user does it: a copy of a source, made of links, in the cache. It takes a few minutes of processor time (600 s on
 * the machine that it was written on), once for each source and configuration.
 * @throws Error with make's own words; where an option does not come out as it was asked for
 */
export async function ownKernel(source: string, { config = [], variables = [], root }: OwnKernelOptions = {}): Promise<OwnKernel> {
  const asked = new Map(
    [...NEEDED.map((name) => `CONFIG_${name}=y`), "CONFIG_DUMMY=m", 'CONFIG_LOCALVERSION="-own"', ...config].map((line) => [
      optionOf(line),
      line,
    ]),
  );
  const lines = [...asked.values()];
  const compiler = root === undefined ? [] : [(await runTool("gcc", ["--version"], { root })).stdout];
  const key = [source, ...lines, ...variables, ...compiler];
  const tree = join(defaultCacheDir(process.env), "own-kernels", hashOf(key).slice(0, 16));
  const run = async (program: string, ...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runTool(program, words, { cwd: tree, root });
    if (exitCode !== 0) throw new Error(`${program} ${words.join(" ")} in ${tree}: ${stderr.slice(-5000)}`);
    return stdout;
  };
  const make = (...words: string[]): Promise<string> => run("make", "-s", `-j${availableParallelism()}`, ...variables, ...words);
  if (!existsSync(join(tree, "built"))) {
    rmSync(tree, { recursive: true, force: true });
    const found = await listSourceFiles(source, true);
    for (const directory of found?.directories ?? []) mkdirSync(join(tree, directory), { recursive: true });
    for (const path of found?.files ?? []) symlinkSync(join(source, path), join(tree, path));
    await make("tinyconfig");
    writeFileSync(join(tree, "more.config"), `${lines.join("\n")}\n`);
    await run("scripts/kconfig/merge_config.sh", "-m", ".config", "more.config");
    await make("olddefconfig");
    requireConfig(readFileSync(join(tree, ".config"), "utf8"), config);
    await make("bzImage", "modules");
    writeFileSync(join(tree, "built"), "");
  }
  return { tree, release: (await make("kernelrelease")).trim() };
}

/** `CONFIG_X=y` and `# CONFIG_X is not set` are about `CONFIG_X`. */
function optionOf(line: string): string {
  return /CONFIG_\w+/.exec(line)?.[0] ?? line;
}

/** An option that depends on another, or that this source does not have, comes out otherwise than asked for: then the kernel is not the one that is wanted. */
function requireConfig(text: string, wanted: readonly string[]): void {
  const lines = new Set(text.split("\n"));
  // What does not exist is not set.
  const missing = wanted.filter(
    (line) => !lines.has(line) && !(line.startsWith("#") && !new RegExp(`^${optionOf(line)}=`, "m").test(text)),
  );
  if (missing.length > 0) throw new Error(`these options do not come out so:\n${missing.join("\n")}`);
}
