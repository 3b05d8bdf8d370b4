import { Refusal } from "../diagnostics.js";

export function missingTools(tools: readonly { readonly tool: string; readonly package: string }[]): Refusal {
  const packages = tools.map((tool) => tool.package);
  return new Refusal({
    code: "missing-tools",
    message: `needed to compile kernel code and not installed: ${tools.map((tool) => tool.tool).join(", ")}`,
    hint: `apt-get install ${[...new Set(packages)].join(" ")}`,
  });
}

export function requireProgram(tool: string, debianPackage: string): Refusal {
  return missingTools([{ tool, package: debianPackage }]);
}

export const locked = (path: string): Refusal =>
  new Refusal({
    code: "locked",
    message: "another ksplice command is at work on this kernel",
    location: path,
    hint: "wait until it is done",
  });

export const toolsAtWork = (path: string): Refusal =>
  new Refusal({
    code: "locked",
    message: "insmod or rmmod, which a ksplice command started that was killed since, is still at work on this kernel",
    location: path,
    hint: "wait until it is done; `fuser` of that file says which process it is",
  });

/** @param words what flock(1) or the system said, or nothing: flock was killed then */
export const cannotLock = (path: string, words: string): Refusal =>
  new Refusal({
    code: "cannot-lock",
    message:
      words === ""
        ? "the program that keeps other ksplice commands out (flock) was killed"
        : `other ksplice commands cannot be kept out: ${words}`,
    location: path,
    hint: words === "" ? "run the same command again; the kernel's log (dmesg) says whether memory was short" : "nothing was changed",
  });

export function missingDebianTool(tool: string, debianPackage: string): Refusal {
  return new Refusal({ code: "missing-tools", message: `${tool} is not installed`, hint: `apt-get install ${debianPackage}` });
}

export function cannotUnpack(file: string, words: string): Refusal {
  return new Refusal({ code: "cannot-unpack", message: `${file} could not be unpacked:\n${words}`, location: file });
}

/** The running kernel can only be inspected by root. */
export function refuseNotRoot(): Refusal {
  return new Refusal({
    code: "not-root",
    message: "reading and changing the running kernel needs root",
    hint: "run the command as root, for example with sudo",
  });
}

/** Whether a program's words say that there is no room left, or apt's that there would be none. */
export function isDiskFull(words: string): boolean {
  // tar says the last of a file that is written in part.
  return /No space left on device|Wrote only \d+ of \d+ bytes|enough free space|Disk quota exceeded/.test(words);
}

export function diskFull(directory: string, words: string): Refusal {
  return new Refusal({
    code: "disk-full",
    message: `there is no room left for ${directory}:\n${words.trimEnd()}`,
    location: directory,
    hint: "a kernel's tree takes 2 GB, the compiler of another release 350 MB; XDG_CACHE_HOME names another place for what is kept",
  });
}
