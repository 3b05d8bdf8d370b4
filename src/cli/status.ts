import { Command, Option } from "commander";
import {
  openVex,
  prometheusText,
  readOsRelease,
  readStatus,
  requireMachine,
  spellStatus,
  statusLine,
  STATUS_EXIT,
  type Status,
} from "../index.js";
import { printJson, requireRootUser, type CommonOptions } from "./common.js";
import { runningService } from "./service-options.js";
import { showEvents } from "./show-events.js";

interface StatusOptions extends CommonOptions {
  readonly json?: boolean;
  readonly line?: boolean;
  readonly prometheus?: boolean;
  readonly vex?: boolean;
}

const FORMS = ["json", "line", "prometheus", "vex"] as const;

/** `ksplice status` */
export function statusCommand(): Command {
  const form = (flags: string, description: string, own: string): Option =>
    new Option(flags, description).conflicts(FORMS.filter((other) => other !== own));
  return new Command("status")
    .description("say whether the running kernel has the updates that it should have")
    .addOption(form("--json", "as JSON, by the schema of docs/status.schema.json", "json"))
    .addOption(form("--line", "in one line; none where there is nothing to say", "line"))
    .addOption(form("--prometheus", "for node_exporter's textfile collector", "prometheus"))
    .addOption(form("--vex", "the vulnerabilities that are fixed in the running kernel, or are not, as OpenVEX 0.2.0", "vex"))
    .addHelpText(
      "after",
      "\nExit status: 0 in order; 10 updates in service are not applied; 11 one failed or was left out after a crash;\n12 a reboot is needed; 13 the kernel is not supported. With --vex and --prometheus: 0.",
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<StatusOptions>();
      requireRootUser();
      const service = runningService(showEvents("ksplice status", options).tell);
      const status = await readStatus(service);
      show(status, options);
      if (options.vex !== true && options.prometheus !== true) process.exitCode = STATUS_EXIT[status.state];
    });
}

function show(status: Status, options: StatusOptions): void {
  if (options.json === true) printJson(status);
  else if (options.vex === true) printJson(openVex(status, readOsRelease("/")));
  else if (options.prometheus === true) process.stdout.write(prometheusText(status));
  else if (options.line === true) process.stdout.write(statusLine(status) === "" ? "" : `${statusLine(status)}\n`);
  else process.stdout.write(options.quiet === true ? `${status.state}\n` : spellStatus(status));
}

interface UnameOptions extends CommonOptions {
  readonly release?: boolean;
  readonly json?: boolean;
}

/** `ksplice uname -r` */
export function unameCommand(): Command {
  return new Command("uname")
    .description("print the version of the kernel whose fixes the running one has")
    .option("-r, --release", "the same; uname has it")
    .option("--json", "with what uname -r says, as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<UnameOptions>();
      requireRootUser();
      const service = runningService(showEvents("ksplice uname", options).tell);
      // What its updates say of themselves is known to the machine only.
      requireMachine(service.facts);
      const { kernel } = await readStatus(service);
      if (options.json === true) printJson(kernel);
      else process.stdout.write(`${kernel.effective}\n`);
    });
}
