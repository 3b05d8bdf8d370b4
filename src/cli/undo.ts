import { Command } from "commander";
import { undoUpdate } from "../index.js";
import { positiveInteger, printJson, stderrProgress, type CommonOptions } from "./common.js";
import { openDebugLog } from "./debug-log.js";

interface UndoOptions extends CommonOptions {
  readonly json?: boolean;
  readonly tries: number;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** `ksplice undo ID` */
export function undoCommand(): Command {
  return new Command("undo")
    .description("take an update out of the running kernel")
    .argument("<id>", "the update's id, as ksplice-view lists it")
    .option("--tries <n>", "how often to try, a second apart, while the code is in use", positiveInteger, 5)
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<UndoOptions>();
      const progress = stderrProgress(options);
      const log = openDebugLog(options);
      try {
        const result = await undoUpdate(id, { tries: options.tries, progress, log });
        progress.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true)
          process.stdout.write(`undone ${result.id}: machine stopped for ${(result.stopNs / 1e6).toFixed(3)} ms\n`);
      } finally {
        log.close();
      }
    });
}
