import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseObject } from "../../src/elf/parse-object.js";
import type { ElfObject } from "../../src/elf/model.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";

/** As the kernel compiles its objects for a comparison, as far as it matters to the differ. */
export const KERNEL_LIKE_FLAGS: readonly string[] = [
  "-O2",
  "-std=gnu11",
  "-ffreestanding",
  "-fno-pic",
  "-mcmodel=kernel",
  "-mno-red-zone",
  "-fno-common",
  "-fno-asynchronous-unwind-tables",
  "-fcf-protection=none",
  "-fno-stack-protector",
];
export const SECTION_FLAGS: readonly string[] = ["-ffunction-sections", "-fdata-sections"];

/** The first of the names that can be run; undefined if there is none. */
export function findCompiler(names: readonly string[]): string | undefined {
  return names.find((name) => spawnSync(name, ["--version"]).status === 0);
}

export const GCC = findCompiler(["gcc-12", "gcc"]);
export const CLANG = findCompiler(["clang", "clang-19", "clang-16", "clang-15", "clang-14"]);

/** What the compiler and its assembler say of themselves. */
const identities = new Map<string, string>();
function identityOf(compiler: string): string {
  let identity = identities.get(compiler);
  if (identity === undefined) {
    const words = [compiler, "as"].map((program) => execFileSync(program, ["--version"], { encoding: "utf8" }));
    identities.set(compiler, (identity = words.join("")));
  }
  return identity;
}

/** Objects of earlier runs, by all that decides about them. */
const CACHE = join(defaultCacheDir(process.env), "test-objects");

/** Compiles C source text to an object, once for all runs. The file is always called `unit.c`. */
export function compileBytes(source: string, compiler: string, flags: readonly string[]): Uint8Array {
  // What it includes may change.
  if (source.includes("#include")) return compile(source, compiler, flags);
  const words = [identityOf(compiler), compiler, ...flags, source];
  const cached = join(CACHE, createHash("sha256").update(JSON.stringify(words)).digest("hex"));
  if (existsSync(cached)) return new Uint8Array(readFileSync(cached));
  const object = compile(source, compiler, flags);
  mkdirSync(CACHE, { recursive: true });
  const own = `${cached}.${process.pid}`;
  writeFileSync(own, object);
  renameSync(own, cached);
  return object;
}

function compile(source: string, compiler: string, flags: readonly string[]): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-diff-"));
  try {
    writeFileSync(join(dir, "unit.c"), source);
    execFileSync(compiler, [...flags, "-c", "unit.c", "-o", "unit.o"], { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
    return new Uint8Array(readFileSync(join(dir, "unit.o")));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export function compileObject(
  source: string,
  fileName: string,
  compiler = GCC ?? "gcc",
  flags = [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS],
): ElfObject {
  return parseObject(compileBytes(source, compiler, flags), fileName);
}
