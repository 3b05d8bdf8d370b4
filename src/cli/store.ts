import { Command } from "commander";
import {
  applyFromStore,
  EXIT_REFUSED,
  headlineOf,
  installUpdate,
  kept,
  publishStatus,
  readIncoming,
  removeFromDisk,
  removeUpdate,
  requireMachine,
  UpdateStore,
  type Service,
  type StoredUpdate,
} from "../index.js";
import { persistenceFrom, printJson, usage, withPersistence, type CommonOptions, type PersistenceOptions } from "./common.js";
import { endingBetweenSteps } from "./interruption.js";
import { heldInWords, placeOf, serviceOf, withRoot, type RootOption } from "./service-options.js";
import { showEvents } from "./show-events.js";

interface InstallCommandOptions extends CommonOptions, RootOption, PersistenceOptions {
  readonly now?: boolean;
  readonly retry?: boolean;
  readonly partial?: boolean;
  readonly allowOlder?: boolean;
  readonly json?: boolean;
}

/** `ksplice install UPDATE` */
export function installCommand(): Command {
  return withPersistence(withRoot(new Command("install")))
    .description("put an update in service: into the store, from where it is applied at each boot of its kernel")
    .argument("<update>", "a tarball made by ksplice-create; its signature, if it has one, lies beside it as UPDATE.sig")
    .option("--partial", "apply it also where a target module is not loaded, without that one; else it waits for the module")
    .option("--now", "apply it, too, if its kernel runs")
    .option("--retry", "also if the crash guard left it out: put it back")
    .option("--allow-older", "also where the store has had a newer one of this id")
    .option("--json", "print the store's entry as JSON")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<InstallCommandOptions>();
      if (options.now === true && options.root !== undefined)
        throw usage("--now is about the kernel that runs, --root about a system that does not");
      const shown = showEvents("ksplice install", options);
      const service = serviceOf(options, shown.tell);
      if (options.now === true) requireMachine(service.facts);
      const incoming = await readIncoming(path);
      const { partial = false, allowOlder = false, retry = false } = options;
      const { kind, entry } = await installUpdate(service, incoming, { partial, allowOlder, now: service.now() }, retry);
      const { release } = incoming.update.manifest.kernel;
      const outcome =
        options.now === true
          ? await endingBetweenSteps(
              async (interruption) => await applyFromStore(service, entry.id, release, { ...persistenceFrom(options), interruption }),
            )
          : undefined;
      if (options.root === undefined) await publishStatus(service);
      shown.done();
      if (outcome?.state === "failed") process.exitCode = EXIT_REFUSED;
      if (options.json === true) printJson({ kind, release, ...entry, outcome });
      else if (options.quiet !== true) {
        const words = { new: "is in service", same: "was in service already", replaced: "is in service in place of the one before" }[kind];
        process.stdout.write(`${entry.id} ${words} for ${release}\n`);
      }
    });
}

interface ListOptions extends CommonOptions, RootOption {
  readonly release?: string;
  readonly json?: boolean;
}

/** `ksplice list` */
export function listCommand(): Command {
  return withRoot(new Command("list"))
    .description("list the updates in the store, in the order in which they are applied, for each kernel")
    .option("--release <rel>", "for this kernel only, as uname -r says it")
    .option("--json", "the same as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>();
      const store = new UpdateStore(placeOf(options));
      const releases = options.release === undefined ? await store.releases() : [options.release];
      const lists: { release: string; updates: readonly StoredUpdate[] }[] = [];
      for (const release of releases) lists.push({ release, updates: await store.list(release) });
      if (options.json === true) {
        printJson(lists);
        return;
      }
      const filled = lists.filter(({ updates }) => updates.length > 0);
      if (filled.length === 0 && options.quiet !== true) process.stderr.write("no update is in the store\n");
      for (const { release, updates } of filled) {
        if (options.quiet === true) process.stdout.write(updates.map(({ id }) => `${id}\n`).join(""));
        else process.stdout.write([`${release}:`, ...updates.map((entry) => `  ${spellEntry(entry)}`), ""].join("\n"));
      }
    });
}

function spellEntry(entry: StoredUpdate): string {
  const held = heldInWords(entry);
  const needs = entry.needs.length === 0 ? "" : `; needs ${entry.needs.join(", ")}`;
  const cves = entry.cves.length === 0 ? "" : ` [${entry.cves.join(", ")}]`;
  return `${entry.id}: ${headlineOf(entry.description)}${cves}${needs}${held === undefined ? "" : `; ${held}`}`;
}

interface RemoveOptions extends CommonOptions, RootOption, PersistenceOptions {
  readonly now?: boolean;
  readonly release?: string;
  readonly json?: boolean;
}

/** `ksplice remove ID` */
export function removeCommand(): Command {
  return withPersistence(withRoot(new Command("remove")))
    .description("take an update out of service: out of the store; it is not applied at the next boot")
    .argument("<id>", "the update's id, as ksplice list has it")
    .option("--now", "undo it, too, if it is applied; where the kernel does not let it go, it stays until the next boot")
    .option("--release <rel>", "the kernel, where the store has that id for several")
    .option("--json", "print what the store had as JSON")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RemoveOptions>();
      if (options.now === true && options.root !== undefined)
        throw usage("--now is about the kernel that runs, --root about a system that does not");
      const shown = showEvents("ksplice remove", options);
      const service = serviceOf(options, shown.tell);
      if (await removeWithoutStore(service, id, options)) return;
      const release = await service.store.releaseOf(id, options.release);
      const { entry, offDisk, undone, stays, hint } = await endingBetweenSteps(
        async (interruption) =>
          await removeUpdate(
            service,
            release,
            id,
            options.now === true ? { ...persistenceFrom(options), interruption, tell: shown.tell } : undefined,
          ),
      );
      if (options.root === undefined) await publishStatus(service);
      shown.done();
      if (stays !== undefined) process.exitCode = EXIT_REFUSED;
      if (options.json === true) printJson({ release, ...entry, offDisk, undone, stays, hint });
      else if (options.quiet !== true) {
        const kernel = undone ? "; it is undone" : stays === undefined ? "" : `; it STAYS in the kernel until the next boot: ${stays}`;
        process.stdout.write(
          `${id} is out of service for ${release}${offDisk.length === 0 ? "" : `, and ${offDisk.join(", ")} off the disk`}${kernel}\n`,
        );
        if (hint !== undefined) process.stdout.write(`hint: ${hint}\n`);
      }
    });
}

/** An update may be on the disk without being in service. @returns whether that was so */
async function removeWithoutStore(service: Service, id: string, options: RemoveOptions): Promise<boolean> {
  const release = options.release ?? service.system.identity().release;
  if ((await service.store.list(release)).some((entry) => entry.id === id)) return false;
  if (!(await kept(service, release)).some((module) => module.id === id)) return false;
  const offDisk = await removeFromDisk(service, id, release);
  if (options.json === true) printJson({ release, id, offDisk, undone: false });
  else if (options.quiet !== true) process.stdout.write(`${id} was not in service for ${release}; ${offDisk.join(", ")} is off the disk\n`);
  return true;
}
