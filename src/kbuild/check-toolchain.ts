import { missingTools } from "../host/refusals.js";
import { otherCompiler } from "./refusals.js";
import { withoutPrefix } from "./tool-name.js";
import { runTool } from "../host/run-tool.js";

interface Requirement {
  readonly tool: string;
  readonly package: string;
  readonly program?: string;
  /** A header that host programs of kbuild include. */
  readonly header?: string;
  /** Needed only where this option is set. */
  readonly config?: string;
}

/** What kbuild runs before it compiles the first object, and where Debian keeps it. */
const REQUIREMENTS: readonly Requirement[] = [
  { tool: "make", package: "make", program: "make" },
  // Programs of the build itself are compiled with it, whatever compiles the kernel.
  { tool: "gcc", package: "gcc", program: "gcc" },
  { tool: "python3", package: "python3", program: "python3" },
  { tool: "flex", package: "flex", program: "flex" },
  { tool: "bison", package: "bison", program: "bison" },
  { tool: "bc", package: "bc", program: "bc" },
  { tool: "perl", package: "perl", program: "perl" },
  { tool: "patch", package: "patch", program: "patch" },
  { tool: "ld", package: "binutils", program: "ld" },
  { tool: "libelf's headers", package: "libelf-dev", header: "gelf.h", config: "OBJTOOL" },
  { tool: "OpenSSL's headers", package: "libssl-dev", header: "openssl/opensslv.h", config: "MODULE_SIG_FORMAT" },
  // Without it Kconfig turns BTF off, and with it fields of struct module.
  { tool: "pahole", package: "dwarves", program: "pahole", config: "DEBUG_INFO_BTF" },
];

/** @throws Refusal that names all missing tools and Debian's packages of them */
export async function checkTools(compiler: string, config: ReadonlyMap<string, string>): Promise<void> {
  const wanted = REQUIREMENTS.filter((requirement) => requirement.config === undefined || config.has(requirement.config));
  const present = await Promise.all(wanted.map((requirement) => isPresent(requirement, compiler)));
  const missing = wanted.filter((_, index) => present[index] === false);
  if (missing.length > 0) throw missingTools(missing);
}

async function isPresent(requirement: Requirement, compiler: string): Promise<boolean> {
  if (requirement.program !== undefined) return !(await runTool(requirement.program, ["--version"])).notFound;
  const test = await runTool(compiler, ["-E", "-x", "c", "-o", "/dev/null", "-"], { input: `#include <${requirement.header ?? ""}>\n` });
  return test.exitCode === 0;
}

export interface Compiler {
  readonly program: string;
  /** First line of `--version`. */
  readonly version: string;
}

/**
 * The compiler that built the kernel, by CONFIG_CC_VERSION_TEXT. Another version compiles other code, which would not match.
 * The first word of the text is the name it was called by; the same compiler may go by a shorter name here.
 * @throws Refusal that names the wanted compiler and those found
 */
export async function findCompiler(versionText: string): Promise<Compiler> {
  const [program = "gcc", ...rest] = versionText.split(" ");
  const wanted = rest.join(" ");
  const short = withoutPrefix(program);
  const found: string[] = [];
  for (const candidate of new Set([program, short, short.replace(/-\d+$/, "")])) {
    const result = await runTool(candidate, ["--version"]);
    const version = result.stdout.split("\n")[0] ?? "";
    if (result.exitCode !== 0) continue;
    if (version.split(" ").slice(1).join(" ") === wanted) return { program: candidate, version };
    found.push(version);
  }
  throw otherCompiler(versionText, [...new Set(found)]);
}
