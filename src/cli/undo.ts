import { Command } from "commander";
import { publishStatus, undoEverywhere, type UndoneResult } from "../index.js";
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
            await undoEverywhere(service, id, {
              interruption,
              unload: options.unload === true,
              ...persistenceFrom(options),
              tell: shown.tell,
            }),
        );
        await publishStatus(service);
        shown.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true) process.stdout.write(`${inWords(result)}\n`);
      } finally {
        shown.close();
      }
    });
}

function inWords({ id, stopNs, attempts, isResident, offDisk, staysIn }: UndoneResult): string {
  const resident = isResident ? "; its code stays in memory, as the kernel may have kept addresses of it" : "";
  return [
    `undone ${id}: ${attempts === 0 ? "it was not switched on in this kernel" : `machine stopped for ${(stopNs / 1e6).toFixed(3)} ms`}${resident}`,
    ...(offDisk.length === 0 ? [] : [`${offDisk.join(", ")} is off the disk: the next load brings what was there before`]),
    ...(staysIn.length === 0
      ? []
      : [`${staysIn.join(", ")} was loaded from the disk with it, and KEEPS it until it is unloaded (rmmod, or a reboot)`]),
  ].join("\n");
}
