import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../engine.js";
import { KspliceSysfs } from "./ksplice-sysfs.js";
import { loadModule, moduleIsLoaded, unloadModule } from "./load-module.js";

/** The name of the core's module. */
export const CORE_MODULE = "ksplice";

/** The core of this machine's kernel. @param root directory that holds `proc/` and `sys/` */
export function coreEngine(root = "/"): Engine {
  const sysfs = new KspliceSysfs(root);
  return {
    listIds: () => sysfs.listIds(),
    readCoreVersion: () => sysfs.readCoreVersion(),
    readUpdate: (id) => sysfs.readUpdate(id),
    writeStage: (id, stage, how) => {
      sysfs.writeStage(id, stage, how);
    },
    writeStopLimit: (microseconds) => {
      sysfs.writeStopLimit(microseconds);
    },
    loadModule,
    unloadModule,
    moduleIsLoaded: (name) => moduleIsLoaded(name, root),
    describeTask: (pid) => ({ waitChannel: readWaitChannel(root, pid), isKernelThread: isKernelThread(root, pid) }),
  };
}

/** By /proc/PID/wchan. */
function readWaitChannel(root: string, pid: number): string | undefined {
  const words = readProcFile(root, pid, "wchan");
  return words === "" || words === "0" ? undefined : words;
}

/** PF_KTHREAD (include/linux/sched.h, Linux 6.1 and 6.12). */
const KERNEL_THREAD = 0x200000;

/** By the flags in /proc/PID/stat: the seventh field behind the name, which may hold anything. */
function isKernelThread(root: string, pid: number): boolean {
  const words = readProcFile(root, pid, "stat");
  const flags = Number(words?.slice(words.lastIndexOf(")") + 2).split(" ")[6] ?? "0");
  return (flags & KERNEL_THREAD) !== 0;
}

function readProcFile(root: string, pid: number, file: string): string | undefined {
  try {
    return readFileSync(join(root, "proc", String(pid), file), "latin1").trim();
  } catch {
    return undefined;
  }
}
