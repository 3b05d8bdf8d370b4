import { isDirectory } from "../../host/files.js";
import { buildRootPath } from "../../tree/kernel-record.js";
import { requireToolchain, versionTextOf } from "../../tree/toolchain.js";
import type { ArchivePlace } from "../distro.js";
import type { Apt } from "./apt.js";
import { compilerNotInArchive, unknownCompiler } from "./refusals.js";
import { BUILD_PACKAGES } from "./tool-packages.js";
import { unpackRoot } from "./unpack-root.js";

/** Changes whenever build roots are made in another way. */
const FORMAT = 2;

/**
 * The compiler that built a kernel, and all else that its build takes, as packages of the archive unpacked into the cache. Nothing is installed and no
 * package's scripts run. Takes 15 s, downloads aside (100 MB, 350 MB unpacked); nothing where it is there already.
 * @param config the kernel's
 * @returns its name, for {@link buildRootPath}
 * @throws Refusal `compiler-not-in-archive` with apt's own words, `cannot-download`, `disk-full`, `other-compiler`
 */
export async function makeBuildRoot(apt: Apt, config: ReadonlyMap<string, string>, place: ArchivePlace): Promise<string> {
  const compiler = compilerPackage(versionTextOf(config));
  const name = `${compiler.name}_${compiler.version}_binutils_${config.get("AS_VERSION") ?? "any"}_${FORMAT}`;
  const path = buildRootPath(place.cacheDir, name);
  if (await isDirectory(path)) return name;

  await unpackRoot(apt, [`${compiler.name}=${compiler.version}`, ...BUILD_PACKAGES], path, {
    ...place,
    what: `${compiler.name} ${compiler.version} and what a build takes`,
    notInArchive: (words) => compilerNotInArchive(versionTextOf(config), apt.name, words),
    check: (root) => requireToolchain(config, root),
  });
  return name;
}

/** `x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0` is of the package gcc-14, version 14.2.0-19. */
function compilerPackage(versionText: string): { name: string; version: string } {
  const [, program = "", version] = /^(?:\w+-linux-gnu-)?(gcc(?:-\d+)?) \(Debian (\S+)\)/.exec(versionText) ?? [];
  if (version === undefined) throw unknownCompiler(versionText);
  return { name: program === "gcc" ? `gcc-${version.split(".")[0] ?? ""}` : program, version };
}
