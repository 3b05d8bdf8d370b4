import { Command } from "commander";
import { applyGuarded, armConfirm, disarmConfirm, publishStatus, readToApply } from "../index.js";
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
  readonly allowOlder?: boolean;
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
    .option("--replace <id>", "undo this update at the same moment: the new one is made for the kernel below it")
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
        const { partial = false, verify = false, allowOlder = false, replace, confirm, health } = options;
        if (health !== undefined && confirm === undefined) throw usage("--health goes with --confirm");
        if (replace !== undefined && confirm !== undefined)
          throw usage("--confirm does not go with --replace: what was replaced may be out of memory when it is to come back");
        const { id } = update.manifest;
        if (confirm !== undefined) {
          requireRootUser();
          await armConfirm(service, id, confirm, health);
        }
        const result = await endingBetweenSteps(
          async (interruption) =>
            await applyGuarded(service, update, origin, {
              interruption,
              partial,
              allowOlder,
              verify,
              signer,
              systemMap,
              ...persistenceFrom(options),
              ...(replace === undefined ? {} : { replace }),
              tell: shown.tell,
            }),
        ).catch(async (error: unknown) => {
          if (confirm !== undefined) await disarmConfirm(service, id);
          throw error;
        });
        await publishStatus(service);
        shown.done();
        if (options.json === true) printJson(result);
        else if (options.quiet !== true) {
          const count = (entries: readonly unknown[], what: string): string =>
            `${entries.length} ${what}${entries.length === 1 ? "" : "s"}`;
          const data = result.data.length === 0 ? "" : ` and ${count(result.data, "data object")}`;
          const skipped = result.skippedTargets.length === 0 ? "" : `; skipped, not loaded: ${result.skippedTargets.join(", ")}`;
          process.stdout.write(
            `applied ${result.id}${replace === undefined ? "" : ` in place of ${replace}`}: ${count(result.functions, "function")}${data} replaced, machine stopped for ${(result.stopNs / 1e6).toFixed(3)} ms${skipped}\n`,
          );
          if (confirm !== undefined) process.stdout.write(`it is undone in ${confirm} s, unless: ksplice confirm ${id}\n`);
        }
      } finally {
        shown.close();
      }
    });
}
