import { existsSync } from "node:fs";
import { Command } from "commander";
import {
  EXIT_REFUSED,
  findSystemMap,
  ID_PATTERN,
  openLiveKernel,
  openSnapshot,
  openUpdate,
  renderFinding,
  verifyUpdate,
  type Update,
  type Verification,
} from "../index.js";
import { printJson, systemMapFrom, usage, withSystemMap, type CommonOptions, type SystemMapOption } from "./common.js";
import { readingRunningKernel } from "./running-kernel.js";

interface VerifyOptions extends CommonOptions, SystemMapOption {
  readonly file?: string;
  readonly snapshot?: string;
  readonly json?: boolean;
}

/** `ksplice verify UPDATE`, `ksplice verify ID --file UPDATE` */
export function verifyCommand(): Command {
  return withSystemMap(new Command("verify"))
    .description("compare the patched source's objects with the kernel that an update is applied to; changes nothing")
    .argument("<update>", "a tarball made by ksplice-create, or its unpacked tree; or the update's id, with --file")
    .option("--file <update>", "the tarball or the unpacked tree of the update with this id")
    .option("--snapshot <file>", "the kernel, as `ksplice snapshot` saved it (default: the running kernel, which needs root)")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExit status: 0 verified, 1 not.")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<VerifyOptions>();
      const update = await openNamed(path, options.file);
      const kernel =
        options.snapshot === undefined
          ? readingRunningKernel(() => openLiveKernel({ systemMap: systemMapFrom(options) ?? findSystemMap(update) }))
          : openSnapshot(options.snapshot);
      try {
        const result = verifyUpdate(update, kernel);
        if (options.json === true) printJson(result);
        else if (options.quiet !== true) process.stdout.write(renderVerification(result));
        if (result.findings.length > 0) process.exitCode = EXIT_REFUSED;
      } finally {
        kernel.close();
      }
    });
}

async function openNamed(name: string, file: string | undefined): Promise<Update> {
  if (file === undefined) {
    if (ID_PATTERN.test(name) && !existsSync(name))
      throw usage(`the kernel does not keep the objects of ${name}: name its tarball with --file`);
    return await openUpdate(name);
  }
  const update = await openUpdate(file);
  if (update.manifest.id !== name) throw usage(`${file} is update ${update.manifest.id}, not ${name}`);
  return update;
}

function renderVerification({ id, units, functions, symbols, skippedTargets, milliseconds, findings }: Verification): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
  const compared = `${count(units, "unit")}, ${count(functions, "function")} and ${count(symbols, "shared name")} compared in ${milliseconds} ms`;
  const skipped = skippedTargets.length === 0 ? "" : `; not loaded: ${skippedTargets.join(", ")}`;
  const verdict = findings.length === 0 ? "verified" : `NOT verified, ${count(findings.length, "finding")}`;
  return [`${id}: ${verdict}; ${compared}${skipped}`, ...findings.map((finding) => `  ${renderFinding(finding)}`), ""].join("\n");
}
