import { temporaryPlace } from "../host/temporary.js";
import { copyFile, mkdir, readFile, rm, utimes } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { tellNobody, type Tell } from "../events.js";
import { checkTools } from "./check-toolchain.js";
import { hashOf, isDirectory, isFile, readTextIfThere, writeWhole } from "../host/files.js";
import { findConfigVersion, findDefinedString, findSourceVersion, parseConfig } from "../tree/kernel-config.js";
import { buildRootPath, readKernelRecord } from "../tree/kernel-record.js";
import { noBuildRoot } from "../tree/refusals.js";
import { requireCompiledObjects } from "../tree/needed-options.js";
import { findToolchain, hasToolchain } from "../tree/toolchain.js";
import type { BuildRoot } from "../host/build-root.js";
import { packageRoot } from "../host/package-root.js";
import { makeKernel, withBuildLock } from "./make.js";
import { cannotPrepare, configurationDiffers, noBuildDirectory, otherSourceVersion, treeNotClean } from "./refusals.js";
import { rustVariables, writeRecordedRust, writeRustTarget } from "./recorded-rust.js";
import { findLeftover } from "./clean-source.js";
import type { PreparedBuild } from "./types.js";
import type { KernelTree } from "../tree/kernel-tree.js";

export interface PrepareOptions {
  /** Default: {@link defaultCacheDir}. */
  readonly cacheDir: string;
  readonly tell?: Tell;
  /** Default: the number of CPUs. */
  readonly jobs?: number;
}

/** Changes whenever what stands in the cache is laid out or made in another way. */
const CACHE_FORMAT = "2";

/** Written last into a build's directory: where it is, the build is whole. */
const FINISHED = "prepared.json";

/**
 * Makes the tree ready for compiling single objects: configuration, generated headers, host tools, objtool. Takes 15 to 60 s the first
 * time, then nothing. Works in the cache only; the tree may be read-only. Two calls at once are safe.
 * @throws Refusal if tree, configuration, compiler and tools do not fit each other
 */
export async function prepareBuild(tree: KernelTree, options: PrepareOptions): Promise<PreparedBuild> {
  const tell = options.tell ?? tellNobody;
  const configText = await readFile(tree.configFile, "utf8");
  const config = parseConfig(configText);
  requireCompiledObjects(config, tree.configFile);
  const headers = await readHeaders(tree);
  const makefile = await checkSource(tree, configText, headers.release);
  const cacheTop = options.cacheDir;
  const compiler = await findToolchain(config, await findBuildRoot(tree, config, cacheTop));
  await checkTools(compiler, config);

  const variables = [
    ...headers.makeVariables,
    `CC=${compiler.program}`,
    ...llvmVariables(config, compiler.program),
    ...tree.makeFlags.filter((flag) => !flag.startsWith("O=")),
  ];
  const where = compiler.root === undefined ? [] : [compiler.root.path];
  const key = hashOf([CACHE_FORMAT, tree.source, configText, compiler.version, makefile, ...variables, ...where]);
  const cacheDir = join(cacheTop, "builds", `${headers.release}-${key.slice(0, 16)}`);
  const rust = join(cacheDir, "rust");
  const build: PreparedBuild = {
    tree,
    outDir: join(cacheDir, "out"),
    cacheDir,
    release: headers.release,
    compiler: compiler.program,
    compilerVersion: compiler.version,
    root: compiler.root,
    makeVariables: [...variables, ...rustVariables(config, rust)],
    jobs: options.jobs ?? availableParallelism(),
  };
  if (await isFile(join(cacheDir, FINISHED))) return build;

  await withBuildLock(cacheDir, async () => {
    if (await isFile(join(cacheDir, FINISHED))) return;
    tell("stage", `preparing a build for ${build.release}, once`);
    await writeRecordedRust(config, rust);
    await prepareOutDir(build, headers.buildDir, configText);
    await writeRustTarget(config, build.outDir);
    await writeWhole(join(cacheDir, FINISHED), JSON.stringify({ source: tree.source, release: build.release, compiler: compiler.version }));
  });
  return build;
}

/** A kernel that was built with `LLVM=1` has its linker, and all else, from there; `LLVM=-14` where these have the version in their names. */
function llvmVariables(config: ReadonlyMap<string, string>, compiler: string): string[] {
  if (!config.has("CC_IS_CLANG") || !config.has("LD_IS_LLD")) return [];
  return [`LLVM=${/-\d+$/.exec(compiler)?.[0] ?? "1"}`];
}

/**
 * The build root that `ksplice prepare` made for this tree, if it did.
 * @throws Refusal if that is gone, and the machine does not have the compiler
 */
async function findBuildRoot(tree: KernelTree, config: ReadonlyMap<string, string>, cacheDir: string): Promise<BuildRoot | undefined> {
  const record = await readKernelRecord(tree.configDir);
  if (record?.buildRoot === undefined) return undefined;
  const path = buildRootPath(cacheDir, record.buildRoot);
  if (!(await isDirectory(join(path, "usr")))) {
    if (await hasToolchain(config)) return undefined;
    throw noBuildRoot(path, record.release, tree.original);
  }
  return { path, needed: [tree.source, tree.original, tree.configDir, cacheDir, packageRoot(), await temporaryPlace()] };
}

interface Headers {
  readonly buildDir: string;
  readonly release: string;
  readonly makeVariables: readonly string[];
}

/**
 * What the headers of the running kernel say about its build, as variables that make kbuild generate the same.
 * A distribution's release is not what its source's Makefile says.
 */
async function readHeaders(tree: KernelTree): Promise<Headers> {
  const { buildDir } = tree;
  if (buildDir === undefined) throw noBuildDirectory(tree.configDir, "everything: it does not exist");
  const generated = async (name: string): Promise<string> => (await readTextIfThere(join(buildDir, "include/generated", name))) ?? "";
  const release = findDefinedString(await generated("utsrelease.h"), "UTS_RELEASE");
  if (release === undefined) throw noBuildDirectory(tree.configDir, "include/generated/utsrelease.h");
  if (!(await isFile(join(buildDir, "Module.symvers")))) throw noBuildDirectory(tree.configDir, "Module.symvers");

  const compile = await generated("compile.h");
  const variables = [`KERNELRELEASE=${release}`];
  const user = findDefinedString(compile, "LINUX_COMPILE_BY");
  const host = findDefinedString(compile, "LINUX_COMPILE_HOST");
  if (user !== undefined) variables.push(`KBUILD_BUILD_USER=${user}`);
  if (host !== undefined) variables.push(`KBUILD_BUILD_HOST=${host}`);
  // Debian's kernels print " Debian VERSION" in every oops (lib/dump_stack.c and Makefile of its source, 6.1).
  const packageId = / (\S+) (\S+)/.exec(findDefinedString(await generated("package.h"), "LINUX_PACKAGE_ID") ?? "");
  if (packageId !== null)
    variables.push("DISTRIBUTION_OFFICIAL_BUILD=1", `DISTRIBUTOR=${packageId[1] ?? ""}`, `DISTRIBUTION_VERSION=${packageId[2] ?? ""}`);
  return { buildDir, release, makeVariables: variables };
}

async function checkSource(tree: KernelTree, configText: string, release: string): Promise<string> {
  const makefile = await readFile(join(tree.source, "Makefile"), "utf8");
  const sourceVersion = findSourceVersion(makefile) ?? "";
  const configVersion = findConfigVersion(configText);
  if (configVersion !== undefined && configVersion !== sourceVersion) throw otherSourceVersion(sourceVersion, configVersion, release);
  const leftover = await findLeftover(tree.source);
  if (leftover !== undefined) throw treeNotClean(tree.source, leftover);
  return makefile;
}

async function prepareOutDir(build: PreparedBuild, buildDir: string, configText: string): Promise<void> {
  // What an interrupted preparation left is not trusted.
  await rm(build.outDir, { recursive: true, force: true });
  await mkdir(build.outDir, { recursive: true });
  await writeWhole(join(build.outDir, ".config"), configText);
  const context = { ...build, source: build.tree.source };
  for (const targets of [["olddefconfig"], ["prepare", "modules_prepare"]]) {
    const result = await makeKernel(context, targets);
    if (result.exitCode !== 0) throw cannotPrepare(build.release, lastLines(result.stderr || result.stdout));
  }
  await compareConfiguration(build, buildDir);
  await copyFile(join(buildDir, "Module.symvers"), join(build.outDir, "Module.symvers"));
  // Kbuild takes a Module.symvers that is newer than its sources for its own.
  const now = new Date();
  await utimes(join(build.outDir, "Module.symvers"), now, now);
}

/**
 * Options that record the tools of the machine (what its openssl can sign with, too: certs/Kconfig, Linux 7.3) or how the image is signed and labelled: no code that is compiled here depends on them.
 * The configuration that Debian puts under /boot lacks the last ones (6.1.170-3).
 */
const TOOL_OPTION =
  /^(CC_VERSION_TEXT|RUSTC_.*|RUST_IS_AVAILABLE|BINDGEN_.*|PAHOLE_.*|AS_VERSION|LD_VERSION|TOOLS_SUPPORT_RELR|OPENSSL_SUPPORTS_.*|BUILD_SALT|MODULE_SIG_KEY|SYSTEM_TRUSTED_KEYS)$/;

async function compareConfiguration(build: PreparedBuild, buildDir: string): Promise<void> {
  const theirText = await readTextIfThere(join(buildDir, "include/config/auto.conf"));
  if (theirText === undefined) throw noBuildDirectory(build.tree.configDir, "include/config/auto.conf");
  const theirs = parseConfig(theirText);
  const ours = parseConfig(await readFile(join(build.outDir, "include/config/auto.conf"), "utf8"));
  const differences = [...new Set([...theirs.keys(), ...ours.keys()])]
    .filter((name) => !TOOL_OPTION.test(name) && theirs.get(name) !== ours.get(name))
    .map((name) => `CONFIG_${name}: ${theirs.get(name) ?? "unset"} in the kernel, ${ours.get(name) ?? "unset"} here`);
  if (differences.length > 0) throw configurationDiffers(build.release, differences);
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-20).join("\n");
}
