import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { configDir, type Place } from "./place.js";
import { inContainer } from "./refusals.js";
import type { OsRelease } from "./status/open-vex.js";

/** What the service asks of the machine besides its kernel. */
export interface MachineFacts {
  /** Another one at each boot. */
  bootId(): string;
  /** Seconds since boot, those asleep too. */
  uptime(): number;
  /** What keeps all updates out, in words; undefined where nothing does. */
  disabledBy(): string | undefined;
  /** What kind of container this is; undefined on a machine. */
  container(): string | undefined;
  /** It runs to save the memory of a kernel that crashed, in little memory of its own. */
  isCrashKernel(): boolean;
  /** Some module is being initialised. */
  areModulesLoading(): boolean;
  /** Why no program may change this kernel or read its memory; undefined where it may. */
  kernelForbids(): string | undefined;
  /** Version of the package that the kernel was booted from, where it says so. */
  packageVersion(): string | undefined;
  /** systemd runs it. */
  hasSystemd(): boolean;
}

/** By /proc, /run and /etc of a place. */
export function machineFacts(place: Place): MachineFacts {
  const { root } = place;
  const text = (path: string): string => readIfThere(join(root, path));
  return {
    bootId: () => text("proc/sys/kernel/random/boot_id").trim(),
    uptime: () => Number(text("proc/uptime").split(" ")[0] ?? "0"),
    disabledBy: () => {
      if (existsSync(join(configDir(place), "disabled"))) return "/etc/ksplice/disabled";
      const word = text("proc/cmdline")
        .trim()
        .split(/\s+/)
        .filter((each) => /^ksplice\.disable(=|$)/.test(each))
        .at(-1);
      return word === undefined || /=(0|n|no|off|false)$/i.test(word) ? undefined : `${word} on the kernel's command line`;
    },
    container: () => {
      // https://systemd.io/CONTAINER_INTERFACE; docker and podman have files of their own.
      const told = [
        text("run/systemd/container"),
        text("run/host/container-manager"),
        /(?:^|\0)container=([^\0]+)/.exec(text("proc/1/environ"))?.[1],
      ];
      const kind = told.map((each) => each?.trim()).find((each) => each !== undefined && each !== "");
      return kind ?? kindByFiles(root, ownNamespace(root));
    },
    isCrashKernel: () => existsSync(join(root, "proc/vmcore")),
    areModulesLoading: () => text("proc/modules").includes(" Loading "),
    kernelForbids: () => {
      if (text("proc/sys/kernel/modules_disabled").trim() === "1") return "the kernel takes no modules any more (kernel.modules_disabled)";
      if (text("sys/kernel/security/lockdown").includes("[confidentiality]")) return "the kernel is locked down (confidentiality)";
      const absent = ["proc/modules", "proc/kallsyms", "proc/kcore"].find((path) => !existsSync(join(root, path)));
      return absent === undefined ? undefined : `the kernel has no /${absent}`;
    },
    // Debian writes it into the version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)".
    packageVersion: () => /\bDebian (\S+)/.exec(text("proc/sys/kernel/version"))?.[1],
    hasSystemd: () => existsSync(join(root, "run/systemd/system")),
  };
}

/** A privileged container could change the kernel, but sees neither the machine's processes nor what the machine knows of its updates. @throws Refusal `in-container` */
export function requireMachine(facts: MachineFacts): void {
  const container = facts.container();
  if (container !== undefined) throw inContainer(container);
}

/** The number of the first namespace of processes, which is fixed (PROC_PID_INIT_INO, include/linux/proc_ns.h, Linux 6.1). */
const FIRST_NAMESPACE = "pid:[4026531836]";

/**
 * By what every container has, whoever made it (containerd and CRI-O leave no sign of theirs): it sees its own processes only; or all of them (docker's `--pid=host`),
 * with a root that is not the first process's.
 * @returns what it has, in words; undefined for the machine itself; `unknown` where /proc does not say
 */
function ownNamespace(root: string): string | undefined {
  try {
    if (readlinkSync(join(root, "proc/self/ns/pid")) !== FIRST_NAMESPACE) return "with a process namespace of its own";
  } catch {
    // A kernel without CONFIG_PID_NS names those that it has (ns_entries in fs/proc/namespaces.c, Linux 7.3; mounts' are always there).
    if (!existsSync(join(root, "proc/self/ns/mnt"))) return "unknown";
  }
  return hasRootOfItsOwn(root) ? "with a root and mounts of its own" : undefined;
}

/** /proc/1/root and /proc/1/ns would say it at once, and may not be read everywhere, by root either (ptrace(2)). */
function hasRootOfItsOwn(root: string): boolean {
  const [own, first] = [readMounts(root, "self"), readMounts(root, "1")];
  const mine = own.find(({ at }) => at === "/");
  const its = first.find(({ at }) => at === "/");
  // A chroot has the machine's mounts, and no root that is one, or one of those.
  if (mine === undefined || its === undefined || first.some(({ id }) => id === mine.id)) return false;
  // A service of systemd's may have mounts of its own, with the machine's root.
  return mine.device !== its.device || mine.from !== its.from;
}

interface Mount {
  /** No two of a kernel have the same, in whatever namespace. */
  readonly id: string;
  /** MAJOR:MINOR */
  readonly device: string;
  /** The directory of that device which is mounted. */
  readonly from: string;
  readonly at: string;
}

/** proc_pid_mountinfo(5) */
function readMounts(root: string, process: string): Mount[] {
  const text = readIfThere(join(root, "proc", process, "mountinfo"));
  return text.split("\n").map((line) => {
    const [id = "", , device = "", from = "", at = ""] = line.split(" ");
    return { id, device, from, at };
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** @param own what {@link ownNamespace} says: a machine whose file system was made out of an image has those files, too */
function kindByFiles(root: string, own: string | undefined): string | undefined {
  if (own === undefined) return undefined;
  if (existsSync(join(root, ".dockerenv"))) return "docker";
  if (existsSync(join(root, "run/.containerenv"))) return "podman";
  return own === "unknown" ? undefined : own;
}

/** /etc/os-release of a system, as far as it is asked for. */
export function readOsRelease(root: string): OsRelease {
  const text = readIfThere(join(root, "etc/os-release"));
  const field = (name: string): string | undefined => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  return { id: field("ID") ?? "linux" };
}
