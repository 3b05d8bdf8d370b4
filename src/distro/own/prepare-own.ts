import { chmod, copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { isDirectory, isFile, namesIn } from "../../host/files.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { parseConfig } from "../../tree/kernel-config.js";
import { findBuildId } from "../../tree/image/image-build-id.js";
import { readKernelRecord, writeKernelRecord, type KernelRecord } from "../../tree/kernel-record.js";
import { unpackImage } from "../../tree/image/unpack-image.js";
import { findToolchain } from "../../tree/toolchain.js";
import { changedSince } from "./changed-since.js";
import { IMAGE, readBuild, type KernelBuild } from "./read-build.js";
import { configDirectoryInUse } from "./refusals.js";

/** In the record, in place of a distribution's name. */
export const OWN = "own";

export interface PrepareOwnRequest {
  /** Where the kernel was built: its source, or what `make O=` named. */
  readonly build: string;
  /** The configuration directory to make. Default: `ksplice` in the source. */
  readonly configDir?: string | undefined;
  readonly tell?: Tell | undefined;
}

export interface PreparedOwn extends KernelRecord {
  /** The source, for `ksplice-create`. */
  readonly source: string;
  readonly configDir: string;
  /** Files of the source that were changed after the kernel was built. */
  readonly changed: readonly string[];
}

/** What of a build says how it was made: from the output directory, and where it goes in the configuration directory. */
const COPIES: readonly (readonly [from: string, to: string])[] = [
  [".config", ".config"],
  ["System.map", "System.map"],
  ["Module.symvers", "build/Module.symvers"],
  ["include/config/auto.conf", "build/include/config/auto.conf"],
  ["include/generated/utsrelease.h", "build/include/generated/utsrelease.h"],
  ["include/generated/compile.h", "build/include/generated/compile.h"],
];

/**
 * Makes the configuration directory of a kernel that the user has built: copies, so that the build may go on. The build itself is not written to. Nothing is
 * left behind if it fails.
 * @throws Refusal where the build is not whole, the compiler is not here, or the directory is somebody else's
 */
export async function prepareOwnKernel(request: PrepareOwnRequest): Promise<PreparedOwn> {
  const tell = request.tell ?? tellNobody;
  tell("stage", "looking at the build");
  const build = await readBuild(request.build);
  const { release, version } = build;
  await findToolchain(parseConfig(await readFile(join(build.directory, ".config"), "utf8")));
  const configDir = resolve(request.configDir ?? join(build.source, "ksplice"));
  const existing = await readKernelRecord(configDir);
  if ((await namesIn(configDir)).length > 0 && existing?.distribution !== OWN) throw configDirectoryInUse(configDir);

  const changed = await changedSince(build);
  await mkdir(dirname(configDir), { recursive: true });
  const unfinished = await makeTemporary(`.${basename(configDir)}-unfinished-`, dirname(configDir));
  try {
    tell("stage", `copying what is known of ${release}`);
    await copyBuild(build, unfinished);
    if (await isFile(join(configDir, "flags"))) await copyFile(join(configDir, "flags"), join(unfinished, "flags"));
    const vmlinux = await unpackImage(join(build.directory, IMAGE));
    const buildId = vmlinux === undefined ? undefined : findBuildId(vmlinux);
    const record: KernelRecord = { distribution: OWN, release, version, ...(buildId === undefined ? {} : { buildId }), packages: [] };
    await writeKernelRecord(unfinished, record);
    await chmod(unfinished, 0o755);
    if (await isDirectory(configDir)) await rm(configDir, { recursive: true });
    await rename(unfinished, configDir);
    return { ...record, source: build.source, configDir, changed };
  } finally {
    await removeTemporary(unfinished);
  }
}

async function copyBuild({ directory, release, modules }: KernelBuild, configDir: string): Promise<void> {
  const modulesDir = `image/lib/modules/${release}`;
  const copies: [string, string][] = [
    ...COPIES.map(([from, to]): [string, string] => [from, to]),
    [IMAGE, `image/boot/vmlinuz-${release}`],
    ...modules.map((path): [string, string] => [path, `${modulesDir}/kernel/${path}`]),
  ];
  if (await isFile(join(directory, "modules.builtin"))) copies.push(["modules.builtin", `${modulesDir}/modules.builtin`]);
  await mkdir(join(configDir, modulesDir), { recursive: true });
  for (const [from, to] of copies) {
    await mkdir(dirname(join(configDir, to)), { recursive: true });
    await copyFile(join(directory, from), join(configDir, to));
  }
}
