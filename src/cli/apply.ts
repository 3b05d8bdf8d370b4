import { Command } from "commander";
import { applyUpdate, openUpdate } from "../index.js";
import { positiveInteger, printJson, stderrProgress, type CommonOptions } from "./common.js";
import { openDebugLog } from "./debug-log.js";

interface ApplyOptions extends CommonOptions {
  readonly partial?: boolean;
  readonly verify?: boolean;
  readonly json?: boolean;
  readonly tries: number;
  readonly stopLimit?: number;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** `ksplice apply UPDATE` */
export function applyCommand(): Command {
  return new Command("apply")
    .description("apply an update to the running kernel")
    .argument("<update>", "a tarball made by ksplice-create, or its unpacked tree")
    .option("--partial", "skip target modules that are not loaded")
    .option("--tries <n>", "how often to try, a second apart, while the code is in use", positiveInteger, 5)
    .option("--stop-limit <ms>", "how long threads are looked at while the machine is stopped, at most (default: 10)", positiveInteger)
    .option("--verify", "compare the patched source's objects with the kernel afterwards, and undo the update if they are not what runs")
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ApplyOptions>();
      const progress = stderrProgress(options);
      const log = openDebugLog(options);
      const update = await openUpdate(path);
      try {
        const { partial = false, verify = false, tries, stopLimit } = options;
        const result = await applyUpdate(update, {
          partial,
          verify,
          tries,
          ...(stopLimit === undefined ? {} : { stopLimit }),
          progress,
          log,
        });
        progress.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true) {
          const count = (entries: readonly unknown[], what: string): string =>
            `${entries.length} ${what}${entries.length === 1 ? "" : "s"}`;
          const data = result.data.length === 0 ? "" : ` and ${count(result.data, "data object")}`;
          const skipped = result.skippedTargets.length === 0 ? "" : `; skipped, not loaded: ${result.skippedTargets.join(", ")}`;
          process.stdout.write(
            `applied ${result.id}: ${count(result.functions, "function")}${data} replaced, machine stopped for ${(result.stopNs / 1e6).toFixed(3)} ms${skipped}\n`,
          );
        }
      } finally {
        log.close();
      }
    });
}
