import type { BuildRoot } from "../host/build-root.js";
import type { KernelTree } from "../tree/kernel-tree.js";

/** A tree that objects can be compiled in: kbuild's output directory in the cache. */
export interface PreparedBuild {
  readonly tree: KernelTree;
  /** Absolute path of the output directory (`O=`). */
  readonly outDir: string;
  /** Absolute path of this build's place in the cache: `outDir` and what is remembered about units and objects. */
  readonly cacheDir: string;
  /** Release of the kernel that this builds for (`6.1.0-47-amd64`), from the headers' utsrelease.h. */
  readonly release: string;
  /** `gcc-12`, or what the configuration asks for. */
  readonly compiler: string;
  /** First line of `compiler --version`. */
  readonly compilerVersion: string;
  /** Where the compiler and all other programs of a build are; undefined: on this machine. */
  readonly root: BuildRoot | undefined;
  /** `NAME=value` arguments that every make call on this build gets. */
  readonly makeVariables: readonly string[];
  /** How many jobs make may run. */
  readonly jobs: number;
}

/** One compilation unit: an object that kbuild makes from one source file, in one of the targets that have it. */
export interface Unit {
  /** Path of the object from the top of the tree: `net/ipv4/raw.o`. */
  readonly path: string;
  /** The source file it is compiled from: `net/ipv4/raw.c`. */
  readonly source: string;
  /** `vmlinux`, or the module's name as the kernel spells it (`i2c_dev`). */
  readonly target: string;
}

/** Tells units apart: an object that several modules have is a unit of each. */
export function unitKey({ path, target }: Pick<Unit, "path" | "target">): string {
  return `${path} ${target}`;
}

export interface CompiledUnit {
  readonly unit: Unit;
  /** The object's bytes, compiled with -ffunction-sections -fdata-sections and processed by objtool as kbuild does. */
  readonly object: Uint8Array;
}

/** The kernel part of an update, built for one kernel. */
export interface KernelModules {
  /** `ksplice.ko`, the core: relocatable, unresolved where it uses symbols that the kernel does not export. */
  readonly core: Uint8Array;
  /** The module that new code is linked into; see kmod/ksplice.h for the symbol it expects. */
  readonly template: Uint8Array;
}
