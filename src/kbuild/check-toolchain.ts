import { missingTools } from "../host/refusals.js";
import type { Toolchain } from "../tree/toolchain.js";
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
export async function checkTools(toolchain: Toolchain, config: ReadonlyMap<string, string>): Promise<void> {
  const wanted = REQUIREMENTS.filter((requirement) => requirement.config === undefined || config.has(requirement.config));
  const present = await Promise.all(wanted.map((requirement) => isPresent(requirement, toolchain)));
  const missing = wanted.filter((_, index) => present[index] === false);
  if (missing.length > 0) throw missingTools(missing);
}

async function isPresent(requirement: Requirement, { program, root }: Toolchain): Promise<boolean> {
  if (requirement.program !== undefined) return !(await runTool(requirement.program, ["--version"], { root })).notFound;
  const input = `#include <${requirement.header ?? ""}>\n`;
  const test = await runTool(program, ["-E", "-x", "c", "-o", "/dev/null", "-"], { input, root });
  return test.exitCode === 0;
}
