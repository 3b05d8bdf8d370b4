import { Command } from "commander";
import { saveSnapshot, type SnapshotSummary } from "../index.js";
import { printJson, systemMapFrom, withSystemMap, type CommonOptions, type SystemMapOption } from "./common.js";
import { readingRunningKernel } from "./running-kernel.js";
import { showEvents } from "./show-events.js";

interface SnapshotOptions extends CommonOptions, SystemMapOption {
  readonly json?: boolean;
}

/** `ksplice snapshot FILE` */
export function snapshotCommand(): Command {
  return withSystemMap(new Command("snapshot"))
    .description("save what matching needs of the running kernel into a file, for `ksplice match` on another machine")
    .argument("<file>", "the snapshot; it holds kernel memory, and is made readable by its owner only")
    .option("--json", "print what is in it as JSON")
    .action((file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<SnapshotOptions>();
      const shown = showEvents("ksplice snapshot", options);
      const summary = readingRunningKernel(() => saveSnapshot(file, { tell: shown.tell, systemMap: systemMapFrom(options) }));
      shown.done();
      if (options.json === true) printJson({ file, ...summary });
      else if (options.quiet !== true) process.stdout.write(`${file}: ${describe(summary)}\n`);
    });
}

function describe({ kernel, modules, symbols, updates, memoryBytes, fileBytes }: SnapshotSummary): string {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
  const applied = updates.length === 0 ? "" : `, updates applied: ${updates.join(", ")}`;
  return `${kernel.release}, ${symbols} symbols, ${modules} modules${applied}, ${mebibytes(memoryBytes)} of memory; ${mebibytes(fileBytes)}`;
}
