import { Refusal } from "../../diagnostics.js";

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

/** The kernel's table has its functions only, and nothing says where its variables are. */
export function refuseIncompleteKallsyms(path: string): Refusal {
  return new Refusal({
    code: "kallsyms-incomplete",
    message: `${path} has the kernel's functions only, not its variables: the kernel was built without CONFIG_KALLSYMS_ALL`,
    hint: "its System.map says where they are: --system-map FILE; or put it into the tree's ksplice/ and make the update again, which brings it along then",
    abortCause: "failed_to_find",
  });
}

export function refuseSystemMap(path: string, reason: string): Refusal {
  return new Refusal({
    code: "other-system-map",
    message: `${path} is not the running kernel's System.map: ${reason}`,
    location: path,
    hint: "it is made with the kernel, beside its vmlinux, and must be of that very build",
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

/** It loads only modules with a signature. */
export function refuseUnsigned(reason: string): Refusal {
  return new Refusal({
    code: "signature-required",
    message: `the running kernel loads no module without a signature that it trusts: ${reason}`,
    hint: "give apply a key that the kernel knows, with its certificate (--sign-key, --sign-cert), or what signs with one (--signer); docs/operations.md says where the key must be",
    abortCause: "call_failed",
  });
}

export function refuseClosed(): Refusal {
  return new Refusal({
    code: "modules-disabled",
    message: "the running kernel loads no modules until the next boot: kernel.modules_disabled is 1",
    hint: "nothing puts it back; where it is set at boot, ksplice.service has to run before that",
    abortCause: "call_failed",
  });
}
