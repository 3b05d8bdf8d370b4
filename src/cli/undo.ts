import { Command } from "commander";
import { undoUpdate } from "../index.js";
import { positiveInteger, printJson, stderrProgress, type CommonOptions } from "./common.js";
import { openDebugLog } from "./debug-log.js";

interface UndoOptions extends CommonOptions {
  readonly json?: boolean;
  readonly unload?: boolean;
  readonly tries: number;
  readonly stopLimit?: number;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** `ksplice undo ID` */
export function undoCommand(): Command {
  return new Command("undo")
    .description("take an update out of the running kernel")
    .argument("<id>", "the update's id, as ksplice-view lists it")
    .option("--tries <n>", "how often to try, a second apart, while the code is in use", positiveInteger, 5)
    .option("--stop-limit <ms>", "how long threads are looked at while the machine is stopped, at most (default: 10)", positiveInteger)
    .option(
      "--unload",
      "take the update's code out of memory, also where the kernel may have kept an address of it (a timer's function, a string): it crashes if it comes to it",
    )
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<UndoOptions>();
      const progress = stderrProgress(options);
      const log = openDebugLog(options);
      try {
        const result = await undoUpdate(id, {
          unload: options.unload === true,
          tries: options.tries,
          ...(options.stopLimit === undefined ? {} : { stopLimit: options.stopLimit }),
          progress,
          log,
        });
        progress.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true)
          process.stdout.write(
            `undone ${result.id}: machine stopped for ${(result.stopNs / 1e6).toFixed(3)} ms${result.isResident ? "; its code stays in memory, as the kernel may have kept addresses of it" : ""}\n`,
          );
      } finally {
        log.close();
      }
    });
}
