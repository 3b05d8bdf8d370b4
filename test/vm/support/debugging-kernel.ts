import { join } from "node:path";
import { prepareOwnKernel } from "../../../src/distro/own/prepare-own.js";
import { readKernelRecord } from "../../../src/tree/kernel-record.js";
import { testTree } from "./trees.js";
import { ownKernel, type OwnKernel } from "../../../lab/own-kernel.js";

/** What the kernel itself can find of misuse of its locks, of memory and of contexts, and what makes its allocations fail. */
const CHECKS = [
  ...["PROVE_LOCKING", "PROVE_RCU", "DEBUG_ATOMIC_SLEEP", "DEBUG_LIST", "DEBUG_OBJECTS", "DEBUG_OBJECTS_FREE", "DEBUG_OBJECTS_TIMERS"],
  ...["DEBUG_OBJECTS_WORK", "DEBUG_OBJECTS_RCU_HEAD", "DEBUG_STACK_USAGE", "SCHED_STACK_END_CHECK", "DEBUG_VM", "DEBUG_NOTIFIERS"],
  ...["KASAN", "KASAN_GENERIC", "KASAN_OUTLINE", "KASAN_VMALLOC", "KFENCE", "DEBUG_KMEMLEAK", "STACKPROTECTOR", "VMAP_STACK", "SLUB_DEBUG"],
  ...["FAULT_INJECTION", "FAILSLAB", "FAIL_PAGE_ALLOC", "FAULT_INJECTION_DEBUG_FS", "DEBUG_FS", "SYSCTL", "PROC_SYSCTL"],
];

/** What the core meets in a distribution's kernel. */
const COMPANY = [
  ...["FTRACE", "FUNCTION_TRACER", "DYNAMIC_FTRACE", "KPROBES", "PERF_EVENTS", "LIVEPATCH", "JUMP_LABEL", "PREEMPT", "PREEMPT_DYNAMIC"],
  ...["HOTPLUG_CPU", "STRICT_KERNEL_RWX", "STRICT_MODULE_RWX", "CGROUPS", "IO_URING", "POSIX_MQUEUE"],
];

/** A small kernel that watches what is done in it, prepared. */
export async function debuggingKernel(): Promise<OwnKernel> {
  const { path } = await testTree("6.12");
  const kernel = await ownKernel(path, {
    config: [
      ...[...CHECKS, ...COMPANY].map((name) => `CONFIG_${name}=y`),
      // The smallest of allocators has no room for what KASAN keeps of an object.
      "# CONFIG_SLUB_TINY is not set",
    ],
  });
  if ((await readKernelRecord(join(kernel.tree, "ksplice"))) === undefined) await prepareOwnKernel({ build: kernel.tree });
  return kernel;
}
