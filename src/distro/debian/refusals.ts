import { Refusal } from "../../diagnostics.js";

/** Everything that this layer refuses, a factory a message. */

export function noApt(): Refusal {
  return new Refusal({
    code: "no-apt",
    message: "this machine has no apt-cache: only Debian's kernels can be prepared, on Debian",
    hint: "make the kernel tree and its ksplice/ directory by hand: see docs/kbuild.md",
  });
}

export function noPackageLists(): Refusal {
  return new Refusal({
    code: "no-package-lists",
    message: "apt knows no packages: its lists were never fetched",
    hint: "run `apt-get update` as root",
  });
}

export function noSuchRelease(release: string, there: readonly string[]): Refusal {
  return new Refusal({
    code: "no-such-release",
    message: `the archive has no kernel ${release}; kernels there with their source:\n${there.join("\n")}`,
    location: release,
    hint: "`apt-get update` fetches newer lists; --release names the kernel to prepare",
  });
}

export function sourceNotInArchive(release: string, version: string, there: readonly string[]): Refusal {
  return new Refusal({
    code: "source-not-in-archive",
    message: `the source of ${release} (version ${version}) is not in the archive; kernels there with their source:\n${there.join("\n")}`,
    location: release,
    hint: "boot one of these kernels; or get linux-source of that version from snapshot.debian.org and make the tree by hand",
  });
}

export function packageNotInArchive(name: string, version: string): Refusal {
  return new Refusal({
    code: "package-not-in-archive",
    message: `the archive has no ${name} of version ${version}`,
    location: name,
    hint: "`apt-get update` fetches newer lists",
  });
}

export function cannotDownload(name: string, version: string, words: string): Refusal {
  return new Refusal({
    code: "cannot-download",
    message: `${name} ${version} could not be downloaded:\n${words}`,
    location: name,
    hint: "if the archive has moved on, `apt-get update` fetches newer lists",
  });
}

export function directoryInUse(directory: string): Refusal {
  return new Refusal({
    code: "directory-in-use",
    message: `${directory} exists and is not a tree of this kernel that was prepared before`,
    location: directory,
    hint: "name a directory that does not exist yet",
  });
}

export function noSuchSourceFile(path: string, version: string): Refusal {
  return new Refusal({ code: "no-such-source-file", message: `the source of version ${version} has no ${path}`, location: path });
}
