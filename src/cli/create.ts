import { constants } from "node:fs";
import { access, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { checkId, createUpdate, packageRoot, packUpdate, randomId, spellNote, type Change } from "../index.js";
import { jobsFromEnvironment, positiveInteger, printJson, stderrProgress, usage, type CommonOptions } from "./common.js";

interface CreateOptions extends CommonOptions {
  readonly patch?: string;
  readonly diffext?: string;
  readonly patchOpt?: string[];
  readonly config?: string;
  readonly id?: string;
  readonly description?: string;
  readonly jobs?: number;
  readonly onlyTargets?: string;
  readonly allowLayout?: string[];
  readonly mostUnits?: number;
  readonly output?: string;
  readonly json?: boolean;
}

/** `ksplice create --patch=FILE | --diffext=EXT KERNEL_SOURCE` */
export function createCommand(): Command {
  return new Command("create")
    .description("make an update for a running kernel out of a source patch")
    .argument("<kernel-source>", "the source that the running kernel was built from")
    .option("--patch <file>", "the change, a unified diff")
    .option("--diffext <ext>", "the change: each file FILEEXT in the source is the changed version of FILE")
    .option("--patch-opt <opt>", "option for patch(1), replaces -p1; may be repeated", appendTo)
    .option("--config <dir>", "configuration directory (default: KERNEL_SOURCE/ksplice)")
    .option("--id <id>", "the update's id (default: 8 random letters and digits)")
    .option("--description <text>", "one line about the update (default: the name of the patch)")
    .option("-j, --jobs <n>", "compile this many objects at once (also: CONCURRENCY_LEVEL)", positiveInteger)
    .option("--only-targets <pattern>", "only these modules, or vmlinux; * stands for any letters")
    .option("--allow-layout <type>", "let a changed layout of this type through (struct foo); may be repeated", appendTo)
    .option("--most-units <n>", "refuse a header whose change may come into more objects than this (default: no limit)", positiveInteger)
    .option("-o, --output <file>", "where the tarball goes (default: ksplice-ID.tar.gz)")
    .option("--json", "print the update's manifest as JSON")
    .addOption(refusedOption("--git <commit>", "make the patch with `git diff`, and give it with --patch"))
    .addOption(refusedOption("--prebuild [x]", "there is no kernel build to prepare any more"))
    .addOption(refusedOption("--skip-prebuild [x]", "there is no kernel build to skip any more"))
    .addOption(refusedOption("--series [x]", "apply the patch to the source yourself, and make the next update from that"))
    .addOption(refusedOption("--standalone [x]", "every update brings all that it needs"))
    .addOption(refusedOption("--extra-match <pattern>", "every function of the touched units is matched"))
    .addOption(refusedOption("--exclude-match <pattern>", "every function of the touched units is matched"))
    .addOption(refusedOption("--build-modules [x]", "modules for the disk come from a kernel build"))
    .addHelpText("after", "\nExit status: 0 update made; 66 the patch changes no object code; 1 refused; 2 usage.")
    .action(async (source: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CreateOptions>();
      const progress = stderrProgress(options);
      const id = checkId(options.id ?? randomId());
      const output = options.output ?? `ksplice-${id}.tar.gz`;
      // Before anything is compiled.
      await access(dirname(resolve(output)), constants.W_OK);
      const { change, created, name } = await readChange(options, source);
      const update = await createUpdate({
        source,
        ...(options.config === undefined ? {} : { configDir: options.config }),
        change,
        id,
        created,
        description: options.description ?? name,
        jobs: options.jobs ?? jobsFromEnvironment(),
        ...(options.onlyTargets === undefined ? {} : { onlyTargets: options.onlyTargets }),
        ...(options.allowLayout === undefined ? {} : { allowedLayouts: options.allowLayout }),
        ...(options.mostUnits === undefined ? {} : { mostUnits: options.mostUnits }),
        kmodDir: join(packageRoot(), "kmod"),
        progress,
        warn: (message) => {
          if (options.quiet !== true) process.stderr.write(`ksplice-create: ${message}\n`);
        },
      });
      await writeFile(output, await packUpdate(update));
      progress.done();
      if (options.json === true) {
        printJson({ output: resolve(output), manifest: update.manifest });
        return;
      }
      if (options.quiet === true) return;
      process.stdout.write(`${output}\n`);
      for (const target of update.manifest.targets) {
        for (const unit of target.units) {
          for (const change of unit.changed) process.stdout.write(`  ${target.name}: ${change.name} changed (${unit.path})\n`);
          for (const entry of unit.new) process.stdout.write(`  ${target.name}: ${entry} new (${unit.path})\n`);
          for (const entry of unit.removed) process.stdout.write(`  ${target.name}: ${entry} removed (${unit.path})\n`);
          for (const entry of unit.data) process.stdout.write(`  ${target.name}: ${entry.name} ${entry.how} (${unit.path})\n`);
        }
      }
      for (const note of update.manifest.notes) process.stdout.write(`  note: ${spellNote(note)}\n`);
    });
}

/** An option of the original that has no place here: not in the help, and refused with what replaced it. */
function refusedOption(flags: string, instead: string): Option {
  const refuse = (): never => {
    throw new InvalidArgumentError(`it is not supported: ${instead}`);
  };
  return new Option(flags).hideHelp().preset("").argParser(refuse);
}

/** Collects an option that may be repeated. */
function appendTo(value: string, previous: string[] | undefined): string[] {
  return previous === undefined ? [value] : [...previous, value];
}

/** The change, when it was made, and what to call it. */
async function readChange(options: CreateOptions, source: string): Promise<{ change: Change; created: Date; name: string }> {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  if ((options.patch === undefined) === (options.diffext === undefined)) throw usage("give exactly one of --patch=FILE and --diffext=EXT");
  if (options.diffext !== undefined) {
    if (options.patchOpt !== undefined) throw usage("--patch-opt goes with --patch");
    return {
      change: { diffext: options.diffext },
      created: epoch === undefined ? (await stat(source)).mtime : dateOf(epoch),
      name: `changes in *${options.diffext}`,
    };
  }
  const path = options.patch ?? "";
  const modified = await stat(path).then(
    (found) => found.mtime,
    () => new Date(0), // reading the change says that it is missing
  );
  const created = epoch === undefined ? modified : dateOf(epoch);
  const patchOptions = options.patchOpt === undefined ? {} : { patchOptions: options.patchOpt };
  return { change: { patchFile: path, ...patchOptions }, created, name: basename(path) };
}

function dateOf(epoch: string): Date {
  if (!/^\d{1,11}$/.test(epoch)) throw usage(`SOURCE_DATE_EPOCH is "${epoch}", which is no number of seconds`);
  return new Date(Number(epoch) * 1000);
}
