import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Keeps kbuild from compiling Rust before it makes a C object; the configuration that C sees is in `autoconf.h` and stays as it is. */
export const WITHOUT_RUST_OBJECTS = "CONFIG_RUST=";

/**
 * Kconfig turns Rust off, and with it what depends on it, where it finds no Rust compiler; C code sees that (`lib/vsprintf.c`, Linux 7.3). No Rust is
 * compiled for an update, so Kconfig is given programs that say of themselves what the configuration recorded of the kernel's own, and do nothing. That all options come
 * out as they are in the running kernel is checked afterwards, as for any kernel.
 * @param directory where to write them
 * @returns variables for every call of make; none where the kernel has no Rust
 */
export function rustVariables(config: ReadonlyMap<string, string>, directory: string): string[] {
  if (!config.has("RUST")) return [];
  return [
    ...[`RUSTC=${join(directory, "rustc")}`, `BINDGEN=${join(directory, "bindgen")}`, `RUST_LIB_SRC=${join(directory, "library")}`],
    WITHOUT_RUST_OBJECTS,
  ];
}

/** Writes the programs that {@link rustVariables} names. */
export async function writeRecordedRust(config: ReadonlyMap<string, string>, directory: string): Promise<void> {
  if (!config.has("RUST")) return;
  const llvm = llvmVersion(config.get("RUSTC_LLVM_VERSION") ?? "0");
  // What scripts/rustc-version.sh, rustc-llvm-version.sh, rust_is_available.sh and rust/Makefile ask (Linux 7.3); libclang is said to be as old as rustc's LLVM.
  await writeProgram(join(directory, "rustc"), [
    sayVersion(config.get("RUSTC_VERSION_TEXT") ?? "rustc"),
    `case "$*" in *--verbose*) echo 'LLVM version: ${llvm}' ;; *file-names*) echo "$*" | sed 's/.*--crate-name \\([^ ]*\\).*/lib\\1.so/' ;; esac`,
  ]);
  await writeProgram(join(directory, "bindgen"), [
    sayVersion(config.get("BINDGEN_VERSION_TEXT") ?? "bindgen"),
    `case "$1" in *.h) echo 'clang version ${llvm}' >&2 ;; esac`,
  ]);
  await mkdir(join(directory, "library/core/src"), { recursive: true });
  await writeFile(join(directory, "library/core/src/lib.rs"), "");
}

/** What `scripts/Makefile` makes for rustc: in a dry run it is only looked for (Linux 7.3). */
export async function writeRustTarget(config: ReadonlyMap<string, string>, outDir: string): Promise<void> {
  if (!config.has("RUST")) return;
  await mkdir(join(outDir, "scripts"), { recursive: true });
  await writeFile(join(outDir, "scripts/target.json"), "{}\n");
}

async function writeProgram(path: string, lines: readonly string[]): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(path, 0o755);
}

function sayVersion(version: string): string {
  return `[ "$1" != --version ] || printf '%s\\n' '${version.replaceAll("'", "'\\''")}'`;
}

/** 190107 is 19.1.7. */
function llvmVersion(number: string): string {
  const value = Number(number);
  return [Math.floor(value / 10_000), Math.floor(value / 100) % 100, value % 100].join(".");
}
