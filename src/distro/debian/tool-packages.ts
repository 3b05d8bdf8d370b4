/** Debian's packages of the programs and headers that a kernel's build takes (12 and 13). */
const PACKAGES: Readonly<Record<string, string>> = {
  bc: "bc",
  bison: "bison",
  flex: "flex",
  gcc: "gcc",
  kmod: "kmod",
  ld: "binutils",
  libelf: "libelf-dev",
  libssl: "libssl-dev",
  make: "make",
  objcopy: "binutils",
  pahole: "pahole",
  patch: "patch",
  perl: "perl",
  python3: "python3",
  xz: "xz-utils",
  zstd: "zstd",
};

/** The Debian package that has a program; undefined for one that is not known. */
export function packageOfTool(tool: string): string | undefined {
  return PACKAGES[tool];
}

/**
 * What else scripts of kbuild call; a system has it, a build root does not. awk is GNU's, as Documentation/process/changes.rst of the kernel names it: mawk
 * has been seen to leave out half of what `arch/x86/tools/cpufeaturemasks.awk` of 7.3 makes.
 */
const BASE = "bash coreutils cpio dash diffutils findutils gawk grep gzip hostname libc6-dev rsync sed tar zlib1g-dev libzstd-dev".split(
  " ",
);

/** All that a build root holds besides the compiler, without what these depend on. */
export const BUILD_PACKAGES: readonly string[] = [...new Set([...Object.values(PACKAGES), ...BASE])].sort();
