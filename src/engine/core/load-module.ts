import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whyNotWritable } from "../../host/file-errors.js";
import { withToolLock } from "../../host/lock.js";
import { runWithDescriptor } from "../../host/run-with-descriptor.js";
import { makeTemporaryAt, removeTemporary } from "../../host/temporary.js";
import { hasSignature } from "../../signing/module-signature.js";
import { refuseModuleFile, refuseModuleKey, refuseModuleLoad, refuseModuleUnload } from "./refusals.js";

/** The module tools live here; a bare PATH may lack them (sudo's secure_path, cron). */
const TOOL_PATH = "/usr/sbin:/sbin:/usr/bin:/bin";

/** Under the lock, so that it is one command's alone; in memory, so that a reboot takes it away. */
const LOADING = "/run/ksplice/loading";

/**
 * Loads a module from memory, through `insmod` and a file that only this user can read and that is gone afterwards; what a command has left that was killed goes
 * with the next. Only under the kernel's lock.
 * @param name what the kernel will call it, for messages
 * @throws Refusal `module-not-written`; `module-load-failed` with the tool's own words and the likely cause
 */
export async function loadModule(object: Uint8Array, name: string): Promise<void> {
  await makeTemporaryAt(LOADING);
  try {
    const file = join(LOADING, `${name}.ko`);
    writeModule(file, object, name);
    const failure = await runTool("insmod", [file]);
    if (failure === undefined) return;
    const words = failure.replaceAll(file, `${name}.ko`);
    throw /Key was rejected|Required key not available/.test(failure)
      ? refuseModuleKey(name, words, hasSignature(object))
      : refuseModuleLoad(name, words, likelyLoadFailure(failure, hasSignature(object)));
  } finally {
    await removeTemporary(LOADING);
  }
}

/** @throws Refusal `module-not-written` where there is no room for it, or it may not be written */
function writeModule(file: string, object: Uint8Array, name: string): void {
  try {
    writeFileSync(file, object, { mode: 0o600 });
  } catch (error) {
    const reason = whyNotWritable(error);
    throw reason === undefined ? error : refuseModuleFile(name, LOADING, reason);
  }
}

/**
 * Unloads a module through `rmmod`.
 * @throws Refusal `module-unload-failed` with the tool's own words
 */
export async function unloadModule(name: string): Promise<void> {
  const failure = await runTool("rmmod", [name]);
  if (failure !== undefined) throw refuseModuleUnload(name, failure);
}

/** True if a module of that name is loaded. `root` is the directory that holds `sys/`. */
export function moduleIsLoaded(name: string, root = "/"): boolean {
  // Built-in code has a directory there as well, but no initstate.
  return existsSync(join(root, "sys/module", name, "initstate"));
}

/** Runs a tool, which the next command waits for where we are killed; its words if it fails, undefined if it does not. */
async function runTool(tool: string, args: readonly string[]): Promise<string | undefined> {
  const script = `PATH="\${PATH:+$PATH:}${TOOL_PATH}"; export LC_ALL=C; exec "$@"`;
  const { exitCode, signal, words } = await withToolLock((lock) => runWithDescriptor("sh", ["-c", script, "sh", tool, ...args], lock));
  if (exitCode === 0) return undefined;
  return words === "" ? `${tool} ended with ${signal ?? `exit code ${exitCode ?? "unknown"}`}` : words;
}

/** What each of insmod's complaints usually comes from. Source: kernel/module/main.c and signing.c, Linux 6.1. */
const LOAD_FAILURES: readonly (readonly [pattern: RegExp, cause: (isSigned: boolean) => string | undefined])[] = [
  [/Operation not permitted/, explainPermission],
  [/Invalid module format/, () => "the module was built for another kernel; dmesg names the difference"],
  [/Unknown symbol/, () => "a module that the new code needs is not loaded, or a symbol is gone; dmesg names it"],
  [/File exists/, () => "a module of that name is loaded already"],
  [/Cannot allocate memory/, () => "the kernel is out of memory for modules"],
];

function likelyLoadFailure(words: string, isSigned: boolean): string | undefined {
  return LOAD_FAILURES.find(([pattern]) => pattern.test(words))?.[1](isSigned);
}

/** Whoever applies an update has asked the kernel's policy before; there are other keepers of modules (LoadPin, IMA). */
function explainPermission(isSigned: boolean): string {
  const lockdown = readSetting("/sys/kernel/security/lockdown");
  if (lockdown !== undefined && !lockdown.includes("[none]"))
    return isSigned
      ? `the kernel is locked down (${lockdown}), and does not know the key that the module is signed with`
      : `the kernel is locked down (${lockdown}), as Secure Boot does; it loads only signed modules`;
  return "loading a module needs root and CAP_SYS_MODULE; besides, a policy of the machine's may forbid it (LoadPin, IMA; dmesg says so)";
}

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return undefined;
  }
}
