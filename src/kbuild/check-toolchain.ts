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
  const absent = await absentPrograms(
    wanted.flatMap(({ program }) => program ?? []),
    toolchain,
  );
  const lacks = await Promise.all(
    wanted.map(async ({ program, header }) => (program === undefined ? !(await hasHeader(header ?? "", toolchain)) : absent.has(program))),
  );
  const missing = wanted.filter((_, index) => lacks[index]);
  if (missing.length > 0) throw missingTools(missing);
}

/** Asked of a shell, all at once: starting a dozen programs takes longer than all else that is checked. */
async function absentPrograms(programs: readonly string[], { root }: Toolchain): Promise<ReadonlySet<string>> {
  const script = 'for name; do command -v "$name" >/dev/null || echo "$name"; done';
  const { stdout } = await runTool("sh", ["-c", script, "sh", ...programs], { root });
  return new Set(stdout.split("\n").filter(Boolean));
}

async function hasHeader(header: string, { program, root }: Toolchain): Promise<boolean> {
  const input = `#include <${header}>\n`;
  const test = await runTool(program, ["-E", "-x", "c", "-o", "/dev/null", "-"], { input, root });
  return test.exitCode === 0;
}
