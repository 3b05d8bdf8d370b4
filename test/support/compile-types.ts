import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Btf } from "../../src/btf/btf.js";
import { parseBtf } from "../../src/btf/parse-btf.js";
import { findSection } from "../../src/elf/find-section.js";
import { GCC } from "./compile-object.js";

export const HAS_PAHOLE = spawnSync("pahole", ["--version"]).status === 0;

/** Names of types that the kernel's sources use, for short examples. */
const PRELUDE = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed int s32; typedef _Bool bool;
typedef struct { int counter; } atomic_t;
typedef struct refcount_struct { atomic_t refs; } refcount_t;
struct list_head { struct list_head *next, *prev; };
`;

/** The .BTF section of a C source; `all` keeps the types that the code does not use. */
export function compileBtfBytes(source: string, compiler = GCC ?? "gcc", options: { readonly all?: boolean } = {}): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-types-"));
  try {
    writeFileSync(join(dir, "unit.c"), PRELUDE + source);
    const flags = ["-g", "-O2", "-ffreestanding", ...(options.all === true ? ["-fno-eliminate-unused-debug-types"] : [])];
    execFileSync(compiler, [...flags, "-c", "unit.c", "-o", "unit.o"], { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
    execFileSync("pahole", ["-J", "unit.o"], {
      cwd: dir,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LLVM_OBJCOPY: "objcopy" },
    });
    const section = findSection(readFileSync(join(dir, "unit.o")), ".BTF", "unit.o");
    if (section === undefined) throw new Error("pahole made no BTF");
    return Uint8Array.from(section);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export function compileBtf(source: string, fileName: string, compiler = GCC ?? "gcc", options: { readonly all?: boolean } = {}): Btf {
  return parseBtf(compileBtfBytes(source, compiler, options), fileName);
}
