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
  const text = (path: string): string => {
    try {
      return readFileSync(join(root, path), "utf8");
    } catch {
      return "";
    }
  };
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
      const told = text("run/systemd/container").trim() || /(?:^|\0)container=([^\0]+)/.exec(text("proc/1/environ"))?.[1];
      if (told !== undefined && told !== "") return told;
      // A machine whose file system was made out of an image has these, too.
      if (isFirstNamespace(root)) return undefined;
      if (existsSync(join(root, ".dockerenv"))) return "docker";
      return existsSync(join(root, "run/.containerenv")) ? "podman" : undefined;
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

function isFirstNamespace(root: string): boolean {
  try {
    return readlinkSync(join(root, "proc/self/ns/pid")) === FIRST_NAMESPACE;
  } catch {
    return false;
  }
}

/** /etc/os-release of a system, as far as it is asked for. */
export function readOsRelease(root: string): OsRelease {
  let text = "";
  try {
    text = readFileSync(join(root, "etc/os-release"), "utf8");
  } catch {
    // None.
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  return { id: field("ID") ?? "linux" };
}
