import { Command } from "commander";
import { confirmUpdate } from "../index.js";
import { printJson, requireRootUser, type CommonOptions } from "./common.js";
import { runningService } from "./service-options.js";
import { showEvents } from "./show-events.js";

interface ConfirmOptions extends CommonOptions {
  readonly json?: boolean;
}

/** `ksplice confirm ID` */
export function confirmCommand(): Command {
  return new Command("confirm")
    .description("keep an update that was applied with --confirm")
    .argument("<id>", "the update's id")
    .option("--json", "print the result as JSON")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ConfirmOptions>();
      requireRootUser();
      await confirmUpdate(runningService(showEvents("ksplice confirm", options).tell), id);
      if (options.json === true) printJson({ id, confirmed: true });
      else if (options.quiet !== true) process.stdout.write(`${id} stays\n`);
    });
}
