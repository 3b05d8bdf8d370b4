import { chmod, copyFile, cp, mkdir, readdir, readFile, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { isDirectory, isFile, namesIn, readTextIfThere } from "../../host/files.js";
import { isModuleFile, moduleName, readModuleFile } from "../../host/module-file.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { withoutBuild } from "../../kbuild/clean-source.js";
import { findDefinedString, findSourceVersion } from "../../tree/kernel-config.js";
import { readKernelRecord, writeKernelRecord, type KernelRecord } from "../../tree/kernel-record.js";
import type { ExternalModule, KernelTree } from "../../tree/kernel-tree.js";
import { openKernelTree } from "../../tree/open-tree.js";
import { findBuiltIn, readModuleFacts } from "./read-module.js";
import * as refuse from "./refusals.js";

export interface PrepareModuleRequest {
  /** The module's source: the directory that kbuild is called for, with `M=`. */
  readonly module: string;
  /** The module's file, as it runs. Default: the one that was built in its source. */
  readonly ko?: string | undefined;
  /** A tree of the kernel that it runs in. */
  readonly kernelSource: string;
  /** The kernel's configuration directory. Default: `ksplice` in its source. */
  readonly configDir?: string | undefined;
  /** The tree to make. */
  readonly dir: string;
  readonly cacheDir: string;
  readonly tell?: Tell | undefined;
}

export interface PreparedModule extends KernelRecord {
  readonly module: ExternalModule;
}

/** Where modules that are no part of the kernel have their source, in the tree that is made. */
const TOP = "extra";

/** In the record of a kernel tree that was made by hand. */
const BY_HAND = "by hand";

/**
 * Makes a tree for updates of a module that is no part of the kernel's source: links to the kernel's tree, and a copy of the module's source and file. Neither of these is
 * written to, nor is what is there of the source's own build taken over. Nothing is left behind if it fails.
 * @throws Refusal where the source or the file is none, or is of another kernel, or the directory is somebody else's
 */
export async function prepareModule(request: PrepareModuleRequest): Promise<PreparedModule> {
  const { kernelSource, configDir, cacheDir, tell = tellNobody } = request;
  const opened = await openKernelTree(kernelSource, configDir === undefined ? {} : { configDir });
  if (opened.external !== undefined) throw refuse.moduleOfModuleTree(kernelSource, opened.external.name);
  const tree = await withoutBuild(opened, cacheDir, tell);
  const kernel = await recordOf(tree);
  const module = await readModule(request, kernel.release);
  const directory = `${TOP}/${module.name}`;
  const record = { ...kernel, module: { name: module.name, directory, builtIn: module.builtIn } };

  const dir = resolve(request.dir);
  const isOurs = (await readKernelRecord(join(dir, "ksplice")))?.module !== undefined;
  if (!isOurs && (await namesIn(dir)).length > 0) throw refuse.moduleTreeInUse(dir);
  tell("stage", `making a tree for ${module.name} and ${kernel.release}`);
  await mkdir(dirname(dir), { recursive: true });
  const unfinished = await makeTemporary(`.${basename(dir)}-unfinished-`, dirname(dir));
  try {
    await linkAll(tree.source, unfinished, new Set(["ksplice", TOP, ".git"]));
    await copySource(module, join(unfinished, directory));
    await fillConfiguration(tree, join(unfinished, "ksplice"), kernel.release, module.ko);
    await writeKernelRecord(join(unfinished, "ksplice"), record);
    await chmod(unfinished, 0o755);
    await rm(dir, { recursive: true, force: true });
    await rename(unfinished, dir);
    return record;
  } finally {
    await removeTemporary(unfinished);
  }
}

async function recordOf({ configDir, buildDir, source }: KernelTree): Promise<KernelRecord> {
  const record = await readKernelRecord(configDir);
  if (record !== undefined) return record;
  const header = buildDir === undefined ? undefined : await readTextIfThere(join(buildDir, "include/generated/utsrelease.h"));
  const version = findSourceVersion(await readFile(join(source, "Makefile"), "utf8")) ?? "";
  return { distribution: BY_HAND, release: findDefinedString(header ?? "", "UTS_RELEASE") ?? version, version, packages: [] };
}

interface Module {
  readonly name: string;
  /** Absolute paths. */
  readonly source: string;
  readonly ko: string;
  readonly builtIn: string;
  /** Of the source, from its top. */
  readonly files: readonly string[];
}

async function readModule({ module, ko: given, dir }: PrepareModuleRequest, release: string): Promise<Module> {
  const source = resolve(module);
  if (!(await isFile(join(source, "Makefile"))) && !(await isFile(join(source, "Kbuild")))) throw refuse.noModuleSource(source);
  const ko = given === undefined ? await findModuleFile(source) : resolve(given);
  if (!(await isFile(ko))) throw refuse.noSuchModuleFile(ko);
  const bytes = await readModuleFile(ko);
  const facts = readModuleFacts(bytes, ko);
  if (facts.name === undefined || facts.release === undefined) throw refuse.noModuleFile(ko);
  if (facts.release !== release) throw refuse.moduleOfOtherKernel(ko, facts.release, release);
  // Made beside the module's files, an earlier tree is none of them.
  const files = await listFiles(source, resolve(dir));
  return { name: moduleName(facts.name), source, ko, builtIn: findBuiltIn(bytes, files) ?? (await realpath(source)), files };
}

async function findModuleFile(source: string): Promise<string> {
  const found = (await namesIn(source)).filter(isModuleFile);
  const [only] = found;
  if (only === undefined || found.length > 1) throw refuse.whichModuleFile(source, found);
  return join(source, only);
}

/** What kbuild leaves beside a module's source. */
const BUILT = /(?:\.(?:o|a|ko|mod|mod\.c|order|cmd|symvers|d|su|gcno)|^Module\.markers)$|^\.tmp_/;

/** Files and links; what a link leads to is not looked at. */
async function listFiles(source: string, but: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(source, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.name === ".git" || BUILT.test(entry.name) || join(source, path) === but) continue;
    if (entry.isDirectory()) found.push(...(await listFiles(source, but, path)));
    else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
  }
  return found.sort();
}

/** With its times: what is made of it is looked up by them. Links lead to where they led, inside the copy to the copy's. */
async function copySource({ source, files }: Module, to: string): Promise<void> {
  for (const path of files) {
    const [from, copy] = [join(source, path), join(to, path)];
    await mkdir(dirname(copy), { recursive: true });
    const link = await readlink(from).catch(ignoreNoLink);
    if (link === undefined) await cp(from, copy, { preserveTimestamps: true });
    else await symlink(linkOf(resolve(dirname(from), link), from, source), copy);
  }
}

function linkOf(target: string, from: string, source: string): string {
  return target === source || target.startsWith(`${source}/`) ? relative(dirname(from), target) || "." : target;
}

/** readlink(2) of what is no link. */
function ignoreNoLink(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EINVAL") throw error;
}

async function linkAll(from: string, to: string, but: ReadonlySet<string>): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await namesIn(from)) if (!but.has(name)) await symlink(join(from, name), join(to, name));
}

/** The kernel's, and the module's file among the modules: where an administrator's own are, which are looked for first. */
async function fillConfiguration(tree: KernelTree, to: string, release: string, ko: string): Promise<void> {
  await linkAll(tree.configDir, to, new Set(["kernel.json", "image"]));
  // A tree that the kernel was built in has all of it itself.
  if (tree.buildDir !== undefined && !(await isDirectory(join(to, "build")))) await symlink(tree.buildDir, join(to, "build"));
  const image = join(tree.configDir, "image");
  const modules = join("lib/modules", release);
  if (await isDirectory(image)) await linkAll(image, join(to, "image"), new Set(["lib"]));
  const shipped = join(image, modules);
  if (await isDirectory(shipped)) await linkAll(shipped, join(to, "image", modules), new Set(["updates"]));
  const updates = join(to, "image", modules, "updates");
  await mkdir(updates, { recursive: true });
  await copyFile(ko, join(updates, basename(ko)));
}
