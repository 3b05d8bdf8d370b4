import { Refusal, type AbortCause } from "../../diagnostics.js";

export const replacedByNewer = (id: string, newer: readonly string[], verb: "undone" | "replaced" = "undone"): Refusal =>
  new Refusal({
    code: "replaced-by-newer",
    message: `update ${id} cannot be ${verb}: ${newer.length === 1 ? "a newer update replaces or uses" : "newer updates replace or use"} its code: ${newer.join(", ")}`,
    hint: `undo ${newer.join(", ")} first`,
    abortCause: "module_busy",
  });

export interface Conflict {
  readonly task: string;
  readonly pid: number;
  readonly function: string;
  /** The function that it sleeps in, where that is known. */
  readonly waitChannel?: string | undefined;
  readonly isKernelThread?: boolean;
}

/** What was asked for and not done. */
type Verb = "applied" | "undone" | "unloaded";

/** @param nudged the threads were woken, as far as they can be */
export const codeBusy = (id: string, verb: Verb, attempts: number, conflicts: readonly Conflict[], nudged = false): Refusal =>
  new Refusal({
    code: "code-busy",
    message: [
      `update ${id} was not ${verb}: code that it ${verb === "applied" ? "replaces" : "brought"} was in use at ${attempts === 1 ? "the one try" : `each of ${attempts} tries`}`,
      ...conflicts.map(
        ({ task, pid, function: name, waitChannel, isKernelThread }) =>
          `  ${task} (${isKernelThread === true ? "thread of the kernel, " : ""}pid ${pid}) is inside ${name}${waitChannel === undefined ? "" : `, asleep in ${waitChannel}`}`,
      ),
    ].join("\n"),
    hint: busyHint(verb, conflicts, nudged),
    abortCause: "code_busy",
  });

/** Programs can be woken; a thread of the kernel cannot, and where it always sleeps in the function, no time is enough. */
function busyHint(verb: Verb, conflicts: readonly Conflict[], nudged: boolean): string {
  const canWake = !nudged && conflicts.some(({ isKernelThread }) => isKernelThread !== true);
  const ways = [
    ...(canWake ? ["wake these programs with --nudge"] : ["stop these programs"]),
    "give it more time with --wait=SECONDS",
    ...(verb === "applied" ? ["where a function always has a sleeper, make the update with ksplice create --allow-busy=FUNCTION"] : []),
  ];
  return `${ways.slice(0, -1).join(", ")}, or ${ways.at(-1) ?? ""}`;
}

const CORE_CAUSES = [
  "no_match",
  "code_busy",
  "module_busy",
  "out_of_memory",
  "failed_to_find",
  "already_reversed",
  "unexpected_running_task",
  "timed_out",
  "target_not_loaded",
  "call_failed",
  "entry_taken",
  "unexpected",
] as const satisfies readonly AbortCause[];

const HINTS: ReadonlyMap<string, string> = new Map([
  [
    "entry_taken",
    "the function can only be redirected by ftrace, and either a livepatch redirects it already (/sys/kernel/livepatch), or ftrace is off: sysctl kernel.ftrace_enabled=1",
  ],
]);

export const coreRefused = (id: string, verb: Verb, abortCause: string, detail: string): Refusal =>
  new Refusal({
    code: abortCause.replaceAll("_", "-"),
    message: `update ${id} was not ${verb}: the kernel part says ${abortCause}${detail === "" ? "" : ` (${detail})`}`,
    hint: HINTS.get(abortCause) ?? "the kernel log may say more",
    abortCause: CORE_CAUSES.find((cause) => cause === abortCause) ?? "unexpected",
  });

/** insmod failed. `details` is what the tool said. */
export function refuseModuleLoad(module: string, details: string, likelyCause: string | undefined): Refusal {
  return new Refusal({
    code: "module-load-failed",
    message: `the kernel did not load module ${module}: ${details}`,
    ...(likelyCause === undefined ? { hint: "the kernel log (dmesg) says more" } : { hint: likelyCause }),
    abortCause: "call_failed",
  });
}

/** @param reason what the system says */
export const refuseModuleFile = (module: string, directory: string, reason: string): Refusal =>
  new Refusal({
    code: "module-not-written",
    message: `${module}.ko cannot be put where insmod loads it from: ${reason}`,
    location: directory,
    hint: `make room there, or make it writable, and run the same command again: df ${directory}`,
    abortCause: "out_of_memory",
  });

/** The kernel does not take the module's signature, or wants one. `details` is what the tool said. */
export function refuseModuleKey(module: string, details: string, isSigned: boolean): Refusal {
  return new Refusal({
    code: "key-not-trusted",
    message: isSigned
      ? `the kernel did not load module ${module}, as it does not trust the key that it is signed with: ${details}`
      : `the kernel did not load module ${module}, as it is not signed: ${details}`,
    hint: isSigned
      ? "the key's certificate must be among the kernel's own: built in, or enrolled (mokutil --import CERTIFICATE.der, then a reboot); /proc/keys lists them"
      : "sign it: --sign-key and --sign-cert, or --signer",
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
