import { Refusal } from "../diagnostics.js";
import { withoutPrefix } from "./tool-name.js";

/** Everything that this layer refuses, a factory a message. */

export function noSuchTree(path: string): Refusal {
  return new Refusal({ code: "no-such-tree", message: `there is no kernel source tree at ${path}`, location: path });
}

export function notAKernelTree(path: string): Refusal {
  return new Refusal({
    code: "not-a-kernel-tree",
    message: `${path} is not a Linux kernel source tree: it lacks a kernel's Makefile or scripts/Makefile.build`,
    location: path,
  });
}

export function noConfigDirectory(path: string, isDefault: boolean): Refusal {
  return new Refusal({
    code: "no-config-directory",
    message: `there is no configuration directory at ${path}`,
    location: path,
    hint: isDefault
      ? "`ksplice prepare` makes a tree of a distribution kernel with this directory; --config=DIR names another one"
      : "it holds the kernel's .config, and `build`: the headers that modules for it are compiled against",
  });
}

export function noConfigFile(configDir: string): Refusal {
  return new Refusal({
    code: "no-config",
    message: `the configuration directory ${configDir} holds no .config`,
    location: configDir,
    hint: "copy the running kernel's configuration there, for example from /boot/config-RELEASE",
  });
}

export function otherCompiler(wanted: string, found: readonly string[]): Refusal {
  const program = /\bclang version (\d+)/.test(wanted)
    ? wanted.replace(/^.*\bclang version (\d+).*$/, "clang-$1")
    : (wanted.split(" ")[0] ?? wanted);
  return new Refusal({
    code: "other-compiler",
    message: `the kernel was built with ${wanted}; here is ${found.length === 0 ? `no ${program}` : found.join(", ")}`,
    hint: `install that compiler: Debian's package is ${withoutPrefix(program)}; for a kernel of another release \`ksplice prepare\` fetches it, and installs nothing`,
  });
}

export function noBuildRoot(path: string, release: string, tree: string): Refusal {
  return new Refusal({
    code: "no-build-root",
    message: `the compiler of ${release} was at ${path}, which is gone`,
    location: path,
    hint: `fetch it again: ksplice prepare --release ${release} ${tree}`,
  });
}

export function otherBinutils(wanted: string, where: string): Refusal {
  return new Refusal({
    code: "other-binutils",
    message: `the kernel was built with binutils of the version that Kconfig writes as ${wanted}; those in ${where} are of another`,
    location: where,
    hint: "--suite names the release that the kernel was built in",
  });
}

/** @param missing options, and what each lacks without */
export function kernelLacks(location: string, missing: readonly (readonly [option: string, why: string])[]): Refusal {
  return new Refusal({
    code: "kernel-lacks-options",
    message: `no update can be applied to this kernel:\n${missing.map(([option, why]) => `  it is built without CONFIG_${option}: ${why}`).join("\n")}`,
    location,
    hint: "build it with these options, install and boot that kernel, and prepare it",
  });
}

export function linkTimeOptimised(configFile: string): Refusal {
  return new Refusal({
    code: "link-time-optimised",
    message: "the kernel was optimised as it was linked (CONFIG_LTO): no object of it has the code that runs",
    location: configFile,
    hint: "a kernel without CONFIG_LTO_CLANG can be patched",
  });
}
