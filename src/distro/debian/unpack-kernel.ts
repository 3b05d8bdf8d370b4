import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDirectory, isFile, isMissing, readTextIfThere } from "../../host/files.js";
import { runTool } from "../../host/run-tool.js";
import { decodeKallsyms } from "../../tree/image/decode-kallsyms.js";
import { findImageBtf } from "../../tree/image/image-btf.js";
import { findBuildId } from "../../tree/image/image-build-id.js";
import { unpackImage } from "../../tree/image/unpack-image.js";
import { isRealTime } from "./debian-kernels.js";
import { noImageInPackages, patchDoesNotApply } from "./refusals.js";
import { readPackedText, unpackPackage, unpackSourceTree } from "./unpack.js";

/** What of the headers package a build needs. Its Makefile and links lead to places under /usr where it is not installed. */
const HEADERS_KEPT = ["Module.symvers", ".config", "include", "arch", "vmlinux"];

/**
 * The source as the kernel was built from it: the real-time flavour's with its further patch, where the package has one.
 * @throws Refusal `patch-does-not-apply`, `cannot-unpack`
 */
export async function unpackSource(deb: string, name: string, release: string, directory: string): Promise<void> {
  await unpackSourceTree(deb, name, directory);
  if (!isRealTime(release)) return;
  const patch = await readPackedText(deb, "./usr/src/linux-patch-*-rt.patch.xz");
  if (patch === undefined) return;
  const input = Buffer.from(patch, "latin1");
  const { exitCode, stdout, stderr } = await runTool("patch", ["-p1", "-s", "--no-backup-if-mismatch", "-d", directory], { input });
  if (exitCode !== 0) throw patchDoesNotApply(release, `${stdout}${stderr}`);
}

/** What only the real-time patch has: an option that chooses how the kernel is preempted, and is not in the source. */
const PREEMPTION = { option: "PREEMPT_LAZY", file: "kernel/Kconfig.preempt" } as const;

/**
 * True where a source is not that of the kernel: the real-time flavours of Debian's 6.1 and 6.12 are built with a patch (6.12 too, though the kernel has had real
 * time since then), and the source's packages of 6.1.190 and 6.12.117 do not hold it.
 * @param config the kernel's
 */
export async function lacksPatch(release: string, source: string, config: ReadonlyMap<string, string>): Promise<boolean> {
  if (!isRealTime(release) || !config.has(PREEMPTION.option)) return false;
  const known = (await readTextIfThere(join(source, PREEMPTION.file))) ?? "";
  return !new RegExp(`^config ${PREEMPTION.option}$`, "m").test(known);
}

/** What a build takes of a kernel's headers. @param target the configuration directory */
export async function unpackHeaders(deb: string, release: string, target: string): Promise<void> {
  const unpacked = join(target, "headers");
  await unpackPackage(deb, unpacked);
  const top = join(unpacked, "usr/src", `linux-headers-${release}`);
  await mkdir(join(target, "build"), { recursive: true });
  for (const name of HEADERS_KEPT) {
    await rename(join(top, name), join(target, "build", name)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
  await cp(join(target, "build/.config"), join(target, ".config"));
  await rm(unpacked, { recursive: true, force: true });
}

/**
 * Modules are put below `lib` and the image into `boot`, wherever the packages have them: since Debian 13 the modules lie below `usr/lib`, and where the
 * image is split into packages (7.1 and later), so does the image, with them.
 * @throws Refusal `no-image-in-packages`, `cannot-unpack`
 */
export async function unpackImagePackages(debs: readonly string[], release: string, directory: string): Promise<void> {
  for (const deb of debs) await unpackPackage(deb, directory, { without: ["./usr/share"] });
  const image = join(directory, "boot", `vmlinuz-${release}`);
  for (const place of [`usr/lib/modules/${release}/vmlinuz`, `lib/modules/${release}/vmlinuz`]) {
    if ((await isFile(image)) || !(await isFile(join(directory, place)))) continue;
    await mkdir(join(directory, "boot"), { recursive: true });
    await rename(join(directory, place), image);
  }
  if (!(await isFile(image))) throw noImageInPackages(release, debs);
  if (await isDirectory(join(directory, "usr/lib/modules"))) {
    await mkdir(join(directory, "lib"), { recursive: true });
    await rename(join(directory, "usr/lib/modules"), join(directory, "lib/modules"));
  }
  await rm(join(directory, "usr"), { recursive: true, force: true });
}

/**
 * Writes what the image says of the kernel: `System.map`, for Debian's own is a stub, and `btf/vmlinux`.
 * @returns the build id, hex; undefined where the image cannot be read
 */
export async function describeImage(configDir: string, release: string): Promise<string | undefined> {
  const vmlinux = await unpackImage(join(configDir, "image/boot", `vmlinuz-${release}`));
  if (vmlinux === undefined) return undefined;
  const symbols = decodeKallsyms(vmlinux);
  if (symbols !== undefined) await writeFile(join(configDir, "System.map"), symbols.join(""));
  const btf = findImageBtf(vmlinux);
  if (btf !== undefined) {
    await mkdir(join(configDir, "btf"));
    await writeFile(join(configDir, "btf/vmlinux"), btf);
  }
  return findBuildId(vmlinux);
}
