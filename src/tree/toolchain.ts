import type { BuildRoot } from "../host/build-root.js";
import { runTool } from "../host/run-tool.js";
import { otherBinutils, otherCompiler } from "./refusals.js";
import { withoutPrefix } from "./tool-name.js";

/** The programs that built a kernel: where they are, and what the compiler is called there. */
export interface Toolchain {
  /** Undefined: on this machine. */
  readonly root: BuildRoot | undefined;
  readonly program: string;
  /** First line of `--version`. */
  readonly version: string;
}

interface Search {
  readonly found: Toolchain | undefined;
  /** First lines of what other compilers said of themselves. */
  readonly others: readonly string[];
}

/**
 * The compiler that built the kernel, by CONFIG_CC_VERSION_TEXT. Another version compiles other code, which would not match.
 * @param root where to look besides this machine; it comes first where the machine has the compiler and other binutils
 * @throws Refusal that names the wanted compiler and those found
 */
export async function findToolchain(config: ReadonlyMap<string, string>, root?: BuildRoot): Promise<Toolchain> {
  const here = await searchCompiler(config);
  if (here.found !== undefined && (root === undefined || (await hasBinutils(config)))) return here.found;
  const there = root === undefined ? undefined : await searchCompiler(config, root);
  if (there?.found !== undefined) return there.found;
  if (here.found !== undefined) return here.found;
  throw otherCompiler(versionTextOf(config), [...new Set([...here.others, ...(there?.others ?? [])])]);
}

/** Whether this machine has the very compiler and binutils that built a kernel. */
export async function hasToolchain(config: ReadonlyMap<string, string>): Promise<boolean> {
  return (await searchCompiler(config)).found !== undefined && (await hasBinutils(config));
}

/** @throws Refusal if a root lacks the compiler or the binutils that built a kernel */
export async function requireToolchain(config: ReadonlyMap<string, string>, root: BuildRoot): Promise<void> {
  const { found, others } = await searchCompiler(config, root);
  if (found === undefined) throw otherCompiler(versionTextOf(config), others);
  if (!(await hasBinutils(config, root))) throw otherBinutils(config.get("AS_VERSION") ?? "", root.path);
}

/** `gcc-14 (Debian 14.2.0-19) 14.2.0`: the name that the compiler was called by, then what it says of itself. */
export function versionTextOf(config: ReadonlyMap<string, string>): string {
  return config.get("CC_VERSION_TEXT") ?? "gcc";
}

/** The same compiler may go by a shorter name here. */
async function searchCompiler(config: ReadonlyMap<string, string>, root?: BuildRoot): Promise<Search> {
  const wanted = sayingOf(versionTextOf(config), config);
  const others: string[] = [];
  for (const candidate of candidatesFor(config)) {
    const result = await runTool(candidate, ["--version"], { root });
    const version = result.stdout.split("\n")[0] ?? "";
    if (result.exitCode !== 0) continue;
    if (sayingOf(version, config) === wanted) return { found: { root, program: candidate, version }, others };
    others.push(version);
  }
  return { found: undefined, others };
}

/** What a compiler says of itself, without the name that gcc was called by; clang does not say that. */
function sayingOf(text: string, config: ReadonlyMap<string, string>): string {
  return config.has("CC_IS_CLANG") ? text.trim() : text.split(" ").slice(1).join(" ");
}

function candidatesFor(config: ReadonlyMap<string, string>): Set<string> {
  // 140006 is 14.0.6 (scripts/cc-version.sh, Linux 6.1).
  if (config.has("CC_IS_CLANG")) return new Set(["clang", `clang-${Math.floor(Number(config.get("CLANG_VERSION") ?? 0) / 10_000)}`]);
  const [program = "gcc"] = versionTextOf(config).split(" ");
  const short = withoutPrefix(program);
  return new Set([program, short, short.replace(/-\d+$/, "")]);
}

/** Programs of binutils, and the options that hold the version of each where the kernel was built with it. */
const BINUTILS = [
  { program: "as", kind: "AS_IS_GNU", version: "AS_VERSION" },
  { program: "ld", kind: "LD_IS_BFD", version: "LD_VERSION" },
] as const;

async function hasBinutils(config: ReadonlyMap<string, string>, root?: BuildRoot): Promise<boolean> {
  for (const { program, kind, version } of BINUTILS) {
    if (!config.has(kind)) continue;
    const { stdout } = await runTool(program, ["--version"], { root });
    if (String(binutilsVersion(stdout)) !== config.get(version)) return false;
  }
  return true;
}

/** As Kconfig writes it: 2.44 is 24400 (scripts/as-version.sh, ld-version.sh; Linux 6.12). */
export function binutilsVersion(words: string): number {
  const [, major = "0", minor = "0", patch = "0"] = /^.* (\d+)\.(\d+)(?:\.(\d+))?/.exec(words.split("\n")[0] ?? "") ?? [];
  // A fourth number of the form YYYYMMDD marks a snapshot and is not counted.
  return Number(major) * 10_000 + Number(minor) * 100 + (Number(patch) > 99 ? 0 : Number(patch));
}
