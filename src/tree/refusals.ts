import { Refusal } from "../diagnostics.js";

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
