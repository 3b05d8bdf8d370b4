import { Command, InvalidArgumentError } from "commander";
import {
  applyGuarded,
  applyOnDisk,
  armConfirm,
  disarmConfirm,
  publishStatus,
  readToApply,
  type DiskResult,
  type GuardedOptions,
  type Origin,
  type Service,
  type Update,
} from "../index.js";
import {
  duration,
  persistenceFrom,
  printJson,
  requireRootUser,
  systemMapFrom,
  usage,
  withPersistence,
  withSystemMap,
  type CommonOptions,
  type PersistenceOptions,
  type SystemMapOption,
} from "./common.js";
import { endingBetweenSteps } from "./interruption.js";
import { runningService } from "./service-options.js";
import { signerOf, withSigning, type SigningOptions } from "./signing-options.js";
import { showEvents } from "./show-events.js";

interface ApplyOptions extends CommonOptions, PersistenceOptions, SigningOptions, SystemMapOption {
  readonly partial?: boolean;
  readonly verify?: boolean;
  readonly json?: boolean;
  readonly replace?: string;
  readonly leaveBehind?: readonly string[];
  readonly allowOlder?: boolean;
  readonly disk?: boolean;
  readonly diskOnly?: boolean;
  readonly confirm?: number;
  readonly health?: string;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** `ksplice apply UPDATE` */
export function applyCommand(): Command {
  return withSystemMap(withSigning(withPersistence(new Command("apply"))))
    .description("apply an update to the running kernel")
    .argument("<update>", "a tarball made by ksplice-create, or its unpacked tree")
    .option("--partial", "skip target modules that are not loaded")
    .option("--disk", "put the whole module that the update brings onto the disk as well: the next load of it comes with the update")
    .option("--disk-only", "the same, and leave the running kernel, which may be another one, as it is")
    .option("--replace <id>", "undo this update at the same moment: the new one is made for the kernel below it")
    .option("--leave-behind <names>", "with --replace: what both updates bring, and may start anew", listOfNames)
    .option("--verify", "compare the patched source's objects with the kernel afterwards, and undo the update if they are not what runs")
    .option("--allow-older", "also one that is older than what the store has had of its id, or than what it replaces")
    .option("--confirm <time>", "undo it by itself unless `ksplice confirm ID` comes within this time (90s, 5m, 1h)", duration)
    .option("--health <command>", "with --confirm: undo it at once where this shell command fails; it is run every ten seconds")
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ApplyOptions>();
      const signer = signerOf(options);
      const systemMap = systemMapFrom(options);
      const shown = showEvents("ksplice-apply", options);
      const service = runningService(shown.tell);
      const { update, origin } = await readToApply(path, service.place, shown.tell);
      try {
        const { partial = false, verify = false, allowOlder = false, replace, leaveBehind, confirm, health } = options;
        if (health !== undefined && confirm === undefined) throw usage("--health goes with --confirm");
        if (replace !== undefined && confirm !== undefined)
          throw usage("--confirm does not go with --replace: what was replaced may be out of memory when it is to come back");
        const { id } = update.manifest;
        const onDisk = options.disk === true || options.diskOnly === true;
        if (onDisk) checkDisk(options);
        if (confirm !== undefined) {
          requireRootUser();
          await armConfirm(service, id, confirm, health);
        }
        const result = await endingBetweenSteps(
          async (interruption) =>
            await applyWith(
              service,
              update,
              origin,
              {
                interruption,
                partial,
                allowOlder,
                verify,
                signer,
                systemMap,
                ...persistenceFrom(options),
                ...(replace === undefined ? {} : { replace }),
                ...(leaveBehind === undefined ? {} : { leaveBehind }),
                tell: shown.tell,
              },
              options,
            ),
        ).catch(async (error: unknown) => {
          if (confirm !== undefined) await disarmConfirm(service, id);
          throw error;
        });
        await publishStatus(service);
        shown.done();
        if (options.json === true) printJson(onDisk ? result : result.applied);
        else if (options.quiet !== true) {
          process.stdout.write(`${inWords(result, replace)}\n`);
          if (confirm !== undefined) process.stdout.write(`it is undone in ${confirm} s, unless: ksplice confirm ${id}\n`);
        }
      } finally {
        shown.close();
      }
    });
}

/** @throws Refusal `usage` for what is about the running kernel only */
function checkDisk({ disk, diskOnly, replace, confirm, verify, partial }: ApplyOptions): void {
  if (disk === true && diskOnly === true) throw usage("--disk-only is --disk without the running kernel: give one of them");
  if (confirm !== undefined) throw usage("--confirm does not go with --disk: put it onto the disk once it is confirmed");
  if (replace !== undefined) throw usage("--replace does not go with --disk: what was replaced has a file of its own there, or none");
  if (diskOnly === true && (verify === true || partial === true))
    throw usage("--verify and --partial are about the running kernel, which --disk-only leaves as it is");
}

async function applyWith(
  service: Service,
  update: Update,
  origin: Origin,
  how: GuardedOptions,
  options: ApplyOptions,
): Promise<DiskResult> {
  if (options.disk === true || options.diskOnly === true) return await applyOnDisk(service, update, origin, how, options.diskOnly !== true);
  return { id: update.manifest.id, onDisk: [], applied: await applyGuarded(service, update, origin, how) };
}

function inWords({ id, onDisk, applied }: DiskResult, replace: string | undefined): string {
  const disk = onDisk.length === 0 ? [] : [`${id} is on the disk, in ${onDisk.join(", ")}: the next load brings it`];
  if (applied === undefined) return [...disk, "nothing was changed in the running kernel"].join("\n");
  const { functions, data, skippedTargets, fromDisk = [], stopNs } = applied;
  if (fromDisk.length > 0)
    return [...disk, `${id} is in this kernel already: ${fromDisk.join(", ")} came with it from the disk`].join("\n");
  const count = (entries: readonly unknown[], what: string): string => `${entries.length} ${what}${entries.length === 1 ? "" : "s"}`;
  const objects = data.length === 0 ? "" : ` and ${count(data, "data object")}`;
  const skipped = skippedTargets.length === 0 ? "" : `; skipped, not loaded: ${skippedTargets.join(", ")}`;
  const instead = replace === undefined ? "" : ` in place of ${replace}`;
  const stopped = `machine stopped for ${(stopNs / 1e6).toFixed(3)} ms`;
  return [...disk, `applied ${id}${instead}: ${count(functions, "function")}${objects} replaced, ${stopped}${skipped}`].join("\n");
}

/** `count,expire` */
function listOfNames(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => !/^[A-Za-z_]\w*$/.test(name)))
    throw new InvalidArgumentError("Names with commas between them are wanted: count,expire.");
  return names;
}
