import { Refusal } from "../diagnostics.js";

/** The running kernel can only be inspected by root. */
export function refuseNotRoot(): Refusal {
  return new Refusal({
    code: "not-root",
    message: "reading and changing the running kernel needs root",
    hint: "run the command as root, for example with sudo",
  });
}

/** /proc/kallsyms cannot be read at all. */
export function refuseNoKallsyms(path: string, cause: string): Refusal {
  return new Refusal({
    code: "kallsyms-absent",
    message: `${path} cannot be read: ${cause}`,
    hint: "the kernel must be built with CONFIG_KALLSYMS and /proc must be mounted",
    abortCause: "failed_to_find",
  });
}

/** Every address in kallsyms reads as zero. */
export function refuseHiddenKallsyms(path: string, kptrRestrict: string | undefined): Refusal {
  const setting = kptrRestrict === undefined ? "" : ` (kernel.kptr_restrict is ${kptrRestrict})`;
  return new Refusal({
    code: "kallsyms-hidden",
    message: `the kernel hides its symbols' addresses: they all read as zero in ${path}${setting}`,
    hint: "run as root with kernel.kptr_restrict at 0 or 1: sysctl -w kernel.kptr_restrict=1",
    abortCause: "failed_to_find",
  });
}

/** /proc/kcore is not there, or may not be read. */
export function refuseNoKcore(path: string, cause: string, lockdown: string | undefined): Refusal {
  const locked = lockdown?.includes("[confidentiality]") === true;
  return new Refusal({
    code: "kcore-absent",
    message: `the running kernel's memory cannot be read through ${path}: ${cause}`,
    hint: locked
      ? "the kernel is locked down (confidentiality): no program may read its memory, so nothing can be matched"
      : "the kernel must be built with CONFIG_PROC_KCORE, and must not be locked down (see /sys/kernel/security/lockdown)",
    abortCause: "failed_to_find",
  });
}

/** insmod failed. `details` is what the tool said. */
export function refuseModuleLoad(module: string, details: string, likelyCause: string | undefined): Refusal {
  return new Refusal({
    code: "module-load-failed",
    message: `the kernel did not load module ${module}: ${details}`,
    ...(likelyCause === undefined ? { hint: "the kernel log (dmesg) says more" } : { hint: likelyCause }),
    abortCause: "call_failed",
  });
}

/** rmmod failed. `details` is what the tool said. */
export function refuseModuleUnload(module: string, details: string): Refusal {
  return new Refusal({
    code: "module-unload-failed",
    message: `the kernel did not unload module ${module}: ${details}`,
    hint: "something still uses it: see its reference count in lsmod",
    abortCause: "module_busy",
  });
}

/** A file that was to be a snapshot of a kernel is none, or is damaged. */
export function refuseSnapshot(path: string, reason: string): Refusal {
  return new Refusal({
    code: "bad-snapshot",
    message: `${path} is not a usable snapshot: ${reason}`,
    location: path,
    hint: "make it again with `ksplice snapshot`, or copy it again",
  });
}

/** The snapshot could not be written to its end. */
export function refuseSnapshotWrite(path: string, cause: string): Refusal {
  return new Refusal({ code: "snapshot-not-written", message: `${path} could not be written: ${cause}`, location: path });
}
