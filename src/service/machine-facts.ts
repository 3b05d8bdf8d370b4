import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { configDir, type Place } from "./place.js";

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
      if (existsSync(join(root, ".dockerenv"))) return "docker";
      return existsSync(join(root, "run/.containerenv")) ? "podman" : undefined;
    },
    isCrashKernel: () => existsSync(join(root, "proc/vmcore")),
    areModulesLoading: () => text("proc/modules").includes(" Loading "),
    hasSystemd: () => existsSync(join(root, "run/systemd/system")),
  };
}
