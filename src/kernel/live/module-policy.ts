import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./read-file.js";

/** What a kernel asks of a module before it loads it. */
export interface ModulePolicy {
  /** Why it loads none without a signature that it trusts; undefined where it does not ask for one. */
  readonly wantsSignature: string | undefined;
  /** It loads none at all until the next boot. */
  readonly isClosed: boolean;
}

const ENFORCED = "sys/module/module/parameters/sig_enforce";

/**
 * By what the kernel says of itself: `module.sig_enforce`, which CONFIG_MODULE_SIG_FORCE sets too, and lockdown, as Secure Boot brings it (kernel/module/signing.c,
 * Linux 6.1 and 6.12). One that was built without signatures has no such parameter, and asks for none, locked down or not.
 * @param root directory that holds `proc/` and `sys/`
 */
export function readModulePolicy(root = "/"): ModulePolicy {
  return { wantsSignature: whySigned(root), isClosed: readText(join(root, "proc/sys/kernel/modules_disabled")) === "1" };
}

function whySigned(root: string): string | undefined {
  if (!existsSync(join(root, ENFORCED))) return undefined;
  if (readText(join(root, ENFORCED)) === "Y") return "module.sig_enforce is set, on its command line or by its configuration";
  const lockdown = readText(join(root, "sys/kernel/security/lockdown"));
  const level = /\[(?!none)(\w+)\]/.exec(lockdown ?? "")?.[1];
  return level === undefined ? undefined : `it is locked down (${level}), as Secure Boot does`;
}
