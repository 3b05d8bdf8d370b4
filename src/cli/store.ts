import { Command } from "commander";
import { headlineOf, readIncoming, UpdateStore, type StoredUpdate } from "../index.js";
import { printJson, type CommonOptions } from "./common.js";
import { heldInWords, placeOf, withRoot, type RootOption } from "./service-options.js";

interface InstallCommandOptions extends CommonOptions, RootOption {
  readonly partial?: boolean;
  readonly allowOlder?: boolean;
  readonly json?: boolean;
}

/** `ksplice install UPDATE` */
export function installCommand(): Command {
  return withRoot(new Command("install"))
    .description("put an update in service: into the store, from where it is applied at each boot of its kernel")
    .argument("<update>", "a tarball made by ksplice-create; its signature, if it has one, lies beside it as UPDATE.sig")
    .option("--partial", "apply it also where a target module is not loaded, without that one; else it waits for the module")
    .option("--allow-older", "also where the store has had a newer one of this id")
    .option("--json", "print the store's entry as JSON")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<InstallCommandOptions>();
      const store = new UpdateStore(placeOf(options));
      const incoming = await readIncoming(path);
      const { partial = false, allowOlder = false } = options;
      const { kind, entry } = await store.install(incoming, { partial, allowOlder, now: new Date() });
      const { release } = incoming.update.manifest.kernel;
      if (options.json === true) printJson({ kind, release, ...entry });
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

interface RemoveOptions extends CommonOptions, RootOption {
  readonly release?: string;
  readonly json?: boolean;
}

/** `ksplice remove ID` */
export function removeCommand(): Command {
  return withRoot(new Command("remove"))
    .description("take an update out of service: out of the store; it is not applied at the next boot")
    .argument("<id>", "the update's id, as ksplice list has it")
    .option("--release <rel>", "the kernel, where the store has that id for several")
    .option("--json", "print what the store had as JSON")
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RemoveOptions>();
      const store = new UpdateStore(placeOf(options));
      const release = await store.releaseOf(id, options.release);
      const entry = await store.remove(release, id);
      if (options.json === true) printJson({ release, ...entry });
      else if (options.quiet !== true) process.stdout.write(`${id} is out of service for ${release}\n`);
    });
}
