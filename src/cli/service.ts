import { setTimeout as sleep } from "node:timers/promises";
import { Argument, Command } from "commander";
import {
  clearHeld,
  EXIT_REFUSED,
  forgetMarks,
  markWell,
  publishStatus,
  settingsOf,
  startService,
  watchUpdate,
  type Service,
  type StartReport,
} from "../index.js";
import { persistenceFrom, printJson, usage, withPersistence, type CommonOptions, type PersistenceOptions } from "./common.js";
import { endingBetweenSteps } from "./interruption.js";
import { serviceOf } from "./service-options.js";
import { showEvents } from "./show-events.js";

interface ServiceOptions extends CommonOptions, PersistenceOptions {
  readonly json?: boolean;
  readonly release?: string;
}

const ACTIONS = {
  start: "apply the updates in service for the running kernel; what the machine does at boot",
  resume: "apply those that waited for a module",
  well: "the machine has been well for a while: take the crash guard's marks away",
  stop: "the machine goes down in good order: forget the marks of this boot; what is applied stays",
  watch: "wait for the confirmation of an update (ID), and undo it where none comes; `ksplice apply --confirm` starts it",
  clear: "put an update (ID) back that the crash guard left out",
} as const;

type Action = keyof typeof ACTIONS;

/** `ksplice service ACTION` */
export function serviceCommand(): Command {
  return withPersistence(new Command("service"))
    .description("apply what is in service, as the machine does at boot")
    .addArgument(new Argument("<action>", "what to do").choices(Object.keys(ACTIONS)))
    .argument("[id]", "the update, for clear and watch")
    .option("--release <rel>", "for clear: the kernel, where the store has that id for several")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `\nActions:\n${Object.entries(ACTIONS)
        .map(([name, text]) => `  ${name.padEnd(8)}${text}\n`)
        .join("")}\nExit status: 1 where an update was not applied.`,
    )
    .action(async (action: Action, id: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ServiceOptions>();
      if ((id === undefined) === (action === "clear" || action === "watch"))
        throw usage(id === undefined ? `${action} needs an id` : `${action} takes no id`);
      const shown = showEvents("ksplice service", options);
      const service = serviceOf({}, shown.tell);
      switch (action) {
        case "start":
        case "resume":
          await start(service, options, action === "resume");
          break;
        case "well":
          await well(service, options);
          break;
        case "stop":
          await forgetMarks(service, service.system.identity().release);
          break;
        case "watch":
          await watchUpdate(service, id ?? "", { ...persistenceFrom(options), wait: 60, nudge: true, tell: shown.tell }, async (ms) => {
            await sleep(ms);
          });
          break;
        case "clear":
          await clear(service, id ?? "", options);
      }
      if (action !== "stop") await publishStatus(service);
    });
}

async function start(service: Service, options: ServiceOptions, resume: boolean): Promise<void> {
  const report = await endingBetweenSteps(
    async (interruption) => await startService(service, { ...persistenceFrom(options), interruption, resume }),
  );
  if (options.json === true) printJson(report);
  else if (options.quiet !== true) process.stdout.write(`${spellReport(report)}\n`);
  if (report.outcomes.some(({ state }) => state === "failed")) process.exitCode = EXIT_REFUSED;
}

function spellReport({ release, otherReleases, disabledBy, outcomes, isCrashKernel }: StartReport): string {
  if (isCrashKernel) return "this kernel saves the memory of one that crashed: nothing is done";
  if (disabledBy !== undefined) return `all updates are kept out, by ${disabledBy}`;
  const others = otherReleases.length === 0 ? "" : `; there is something for ${otherReleases.join(", ")}`;
  if (outcomes.length === 0) return `no update is in service for ${release}${others}`;
  const applied = outcomes.filter(({ state }) => state === "applied").length;
  return `${applied} of ${outcomes.length} updates in service for ${release} ${applied === 1 ? "is" : "are"} applied`;
}

async function well(service: Service, options: ServiceOptions): Promise<void> {
  const result = await markWell(service, service.system.identity().release, (await settingsOf(service)).wellAfter);
  if (result.again !== undefined) await service.later.start("ksplice-well-again", ["service", "well"], result.again);
  if (options.json === true) printJson(result);
  else if (options.quiet !== true)
    process.stdout.write(result.well.length === 0 ? "no mark to take away\n" : `the machine is well with ${result.well.join(", ")}\n`);
}

async function clear(service: Service, id: string, options: ServiceOptions): Promise<void> {
  const release = await service.store.releaseOf(id, options.release);
  const entry = await clearHeld(service, release, id);
  if (options.json === true) printJson({ release, ...entry });
  else if (options.quiet !== true)
    process.stdout.write(`${id} is back in service for ${release}: ksplice service start, or the next boot, applies it\n`);
}
