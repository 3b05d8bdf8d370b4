import { Command } from "commander";
import { publishStatus, undoNoted } from "../index.js";
import { persistenceFrom, printJson, withPersistence, type CommonOptions, type PersistenceOptions } from "./common.js";
import { endingBetweenSteps } from "./interruption.js";
import { runningService } from "./service-options.js";
import { showEvents } from "./show-events.js";

interface UndoOptions extends CommonOptions, PersistenceOptions {
  readonly json?: boolean;
  readonly unload?: boolean;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** `ksplice undo ID` */
export function undoCommand(): Command {
  return withPersistence(new Command("undo"))
    .description("take an update out of the running kernel")
    .argument("<id>", "the update's id, as ksplice-view lists it")
    .option(
      "--unload",
      "take the update's code out of memory, also where the kernel may have kept an address of it (a timer's function, a string): it crashes if it comes to it",
    )
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<UndoOptions>();
      const shown = showEvents("ksplice-undo", options);
      const service = runningService(shown.tell);
      try {
        const result = await endingBetweenSteps(
          async (interruption) =>
            await undoNoted(service, id, {
              interruption,
              unload: options.unload === true,
              ...persistenceFrom(options),
              tell: shown.tell,
            }),
        );
        await publishStatus(service);
        shown.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true)
          process.stdout.write(
            `undone ${result.id}: machine stopped for ${(result.stopNs / 1e6).toFixed(3)} ms${result.isResident ? "; its code stays in memory, as the kernel may have kept addresses of it" : ""}\n`,
          );
      } finally {
        shown.close();
      }
    });
}
