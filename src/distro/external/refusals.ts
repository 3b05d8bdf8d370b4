import { Refusal } from "../../diagnostics.js";

export function noModuleSource(path: string): Refusal {
  return new Refusal({
    code: "no-module-source",
    message: `${path} is not a module's source: it has neither a Makefile nor a Kbuild file`,
    location: path,
    hint: "--module names the directory that `make -C /lib/modules/RELEASE/build M=DIR` is called for",
  });
}

export function noSuchModuleFile(path: string): Refusal {
  return new Refusal({ code: "no-such-module", message: `there is no module's file at ${path}`, location: path });
}

/** @param found files in the module's source */
export function whichModuleFile(directory: string, found: readonly string[]): Refusal {
  const seen = found.length === 0 ? "has no built module" : `has ${found.join(", ")}`;
  return new Refusal({
    code: "no-such-module",
    message: `which file is the module that runs? ${directory} ${seen}`,
    location: directory,
    hint: "--ko=FILE names it; `modinfo -n NAME` says where the one is that modprobe loads",
  });
}

export function noModuleFile(path: string): Refusal {
  return new Refusal({
    code: "not-a-module",
    message: `${path} is no kernel module: it does not say what it is called, or for which kernel it was built`,
    location: path,
  });
}

export function moduleOfOtherKernel(path: string, built: string, release: string): Refusal {
  return new Refusal({
    code: "other-kernel",
    message: `${path} was built for ${built}, and the tree is of ${release}`,
    location: path,
    hint: "name the tree of the kernel that the module runs in (--kernel-source), or the module's file for this one",
  });
}

export function moduleTreeInUse(path: string): Refusal {
  return new Refusal({
    code: "directory-in-use",
    message: `${path} is there already, and was not made by \`ksplice prepare --module\``,
    location: path,
    hint: "name another directory, or move it away",
  });
}

export function moduleOfModuleTree(path: string, name: string): Refusal {
  return new Refusal({
    code: "not-a-kernel-tree",
    message: `${path} is the tree of the module ${name}, not of a kernel`,
    location: path,
    hint: "--kernel-source names the tree that `ksplice prepare` made of the kernel",
  });
}
