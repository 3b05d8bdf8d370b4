import { basename } from "node:path";
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
    hint: "`apt-get update` fetches newer lists; --release names the kernel to prepare, and --suite the Debian release that has it (`--suite trixie`)",
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

export function cannotDownload(what: string, words: string): Refusal {
  return new Refusal({
    code: "cannot-download",
    message: `${what} could not be downloaded:\n${words}`,
    location: what,
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

export function cannotFetchLists(name: string, sources: readonly string[], words: string): Refusal {
  return new Refusal({
    code: "cannot-fetch-lists",
    message: `the package lists of ${name} could not be fetched or are not signed by Debian:\n${words.trimEnd()}\nsources:\n${sources.join("\n")}`,
    location: name,
    hint: words.includes("NO_PUBKEY")
      ? "the keys on this machine are older than that release: `apt-get install debian-archive-keyring` updates them"
      : "--suite takes a code name (`trixie`); --apt-source names other sources",
  });
}

export function noArchiveKeyring(path: string): Refusal {
  return new Refusal({
    code: "no-archive-keyring",
    message: `${path} is missing: without Debian's keys nothing of its archive can be trusted`,
    location: path,
    hint: "apt-get install debian-archive-keyring",
  });
}

export function compilerNotInArchive(wanted: string, archive: string, words: string): Refusal {
  return new Refusal({
    code: "compiler-not-in-archive",
    message: `the kernel was built with ${wanted}, and the archive (${archive}) does not have it with what it needs:\n${words.trimEnd()}`,
    hint: "--suite names the Debian release that the kernel was built in; older packages are at snapshot.debian.org (--apt-source)",
  });
}

export function unknownCompiler(wanted: string): Refusal {
  return new Refusal({
    code: "unknown-compiler",
    message: `the kernel was built with ${wanted}, which is no package of Debian's`,
    hint: "install that compiler",
  });
}

export function patchDoesNotApply(release: string, words: string): Refusal {
  return new Refusal({
    code: "patch-does-not-apply",
    message: `the further patch of ${release} does not fit the source that it comes with:\n${words.trimEnd()}`,
    location: release,
  });
}

/** @param debs the packages' files */
export function noImageInPackages(release: string, debs: readonly string[]): Refusal {
  const names = debs.map((deb) => basename(deb));
  return new Refusal({
    code: "no-image-in-packages",
    message: `no package of ${release} has its image, neither boot/vmlinuz-${release} nor vmlinuz beside the modules; looked for in:\n${names.join("\n")}`,
    location: release,
    hint: "make the kernel tree and its ksplice/ directory by hand: see docs/kbuild.md",
  });
}
