import { Command } from "commander";
import { confirmUpdate, publishStatus } from "../index.js";
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
      const service = runningService(showEvents("ksplice confirm", options).tell);
      await confirmUpdate(service, id);
      await publishStatus(service);
      if (options.json === true) printJson({ id, confirmed: true });
      else if (options.quiet !== true) process.stdout.write(`${id} stays\n`);
    });
}
