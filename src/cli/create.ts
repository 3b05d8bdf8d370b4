import { constants, existsSync } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  checkId,
  createUpdate,
  CVE_PATTERN,
  openUpdate,
  packageRoot,
  packUpdate,
  prebuild,
  randomId,
  Refusal,
  spellNote,
  type Change,
  type PrebuildRequest,
} from "../index.js";
import { tarballPath } from "./tarball-path.js";
import {
  cacheDirectory,
  traceTo,
  jobsFromEnvironment,
  nonNegativeInteger,
  positiveInteger,
  printJson,
  usage,
  type CommonOptions,
} from "./common.js";
import { endingSignal } from "./interruption.js";
import { showEvents } from "./show-events.js";

interface CreateOptions extends CommonOptions {
  readonly patch?: string[];
  readonly series?: string;
  readonly git?: string;
  readonly gitDir?: string;
  readonly strip?: number;
  readonly diffext?: string;
  readonly prebuild?: boolean;
  readonly prebuildFiles?: string[];
  readonly patchOpt?: string[];
  readonly after?: string[];
  readonly config?: string;
  readonly id?: string;
  readonly description?: string;
  readonly cve?: string[];
  readonly effective?: string;
  readonly jobs?: number;
  readonly onlyTargets?: string;
  readonly allowLayout?: string[];
  readonly allowBusy?: string[];
  readonly mostUnits?: number;
  readonly buildModules?: boolean;
  readonly output?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
}

/** `ksplice create --patch=FILE | --series=FILE | --git=COMMIT | --diffext=EXT | --prebuild KERNEL_SOURCE` */
export function createCommand(): Command {
  return new Command("create")
    .description("make an update for a running kernel out of a source patch")
    .argument("<kernel-source>", "the source that the running kernel was built from")
    .option(
      "--patch <file>",
      "the change, a unified diff, or a mailbox of them; may be repeated: one update of all, in this order",
      appendTo,
    )
    .option("--series <file>", "the change, the patches that a quilt series names, or the directory that has one")
    .option("--git <commit>", "the change, what a commit or each of a range A..B makes to the source")
    .option("--git-dir <dir>", "the repository of --git (default: the one that the source is in)")
    .option("--diffext <ext>", "the change: each file FILEEXT in the source is the changed version of FILE")
    .option("--prebuild", "make no update: do ahead, once for a kernel, what the first one would wait for")
    .option("--prebuild-files <glob>", "with it, compile the objects of these source files, too ('net/ipv4/*'); may be repeated", appendTo)
    .option("-p, --strip <n>", "leading directories to strip of the patch's file names (default: as its files say)", nonNegativeInteger)
    .option("--patch-opt <opt>", "option for patch(1); may be repeated", appendTo)
    .option(
      "--after <update>",
      "an update that the kernel has: this one is made from the source with it; may be repeated, oldest first",
      appendTo,
    )
    .option("--config <dir>", "configuration directory (default: KERNEL_SOURCE/ksplice)")
    .option("--id <id>", "the update's id (default: 8 random letters and digits)")
    .option("--description <text>", "one line about the update (default: what commit or mail say, else the name of the patch)")
    .option("--cve <id>", "a vulnerability that the update fixes, besides those that the patch names; may be repeated", appendCve)
    .option("--effective <version>", "version of the kernel whose fixes a machine has with this update, for `ksplice uname -r` (6.1.176-1)")
    .option("-j, --jobs <n>", "compile this many objects at once (also: CONCURRENCY_LEVEL)", positiveInteger)
    .option("--only-targets <pattern>", "only these modules, or vmlinux; * stands for any letters")
    .option("--allow-layout <type>", "let a changed layout of this type through (struct foo); may be repeated", appendTo)
    .option(
      "--allow-busy <function>",
      "let threads stay in the old code of this function, which goes on in them; may be repeated",
      appendTo,
    )
    .option("--most-units <n>", "refuse a header whose change may come into more objects than this (default: no limit)", positiveInteger)
    .option("--build-modules", "build the whole patched module as well, for the disk: of a change of one module (ksplice apply --disk)")
    .option("-o, --output <file>", "where the tarball goes, a file or a directory for ksplice-ID.tar.gz (default: here)")
    .option("--json", "print the update's manifest as JSON")
    .option(
      "--trace",
      "how the code before and after the change is paired, on stderr: what each function and object was taken for, and why",
    )
    .addOption(refusedOption("--skip-prebuild [x]", "there is no kernel build to skip any more"))
    .addOption(refusedOption("--standalone [x]", "every update brings all that it needs"))
    .addOption(refusedOption("--extra-match <pattern>", "every function of the touched units is matched"))
    .addOption(refusedOption("--exclude-match <pattern>", "every function of the touched units is matched"))
    .addHelpText("after", "\nExit status: 0 update made; 66 the patch changes no object code; 1 refused; 2 usage.")
    .action(async (source: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CreateOptions>();
      const shown = showEvents("ksplice-create", options);
      if (isPrebuild(options)) {
        const { release, objects } = await prebuild({
          ...commonRequest(source, options),
          files: options.prebuildFiles ?? [],
          tell: shown.tell,
        });
        shown.done();
        if (options.json === true) printJson({ release, objects });
        else if (options.quiet !== true)
          process.stdout.write(
            `ready to make updates for ${release}${objects === 0 ? "" : `; ${objects} object${objects === 1 ? "" : "s"} compiled`}\n`,
          );
        return;
      }
      const id = checkId(options.id ?? randomId());
      const output = tarballPath(options.output, id);
      // Before anything is compiled.
      await access(dirname(resolve(output)), constants.W_OK);
      const change = changeOf(options);
      const update = await createUpdate({
        ...commonRequest(source, options),
        change,
        after: await Promise.all((options.after ?? []).map((path) => openUpdate(path))),
        id,
        ...createdByEnvironment(),
        ...(options.description === undefined ? {} : { description: options.description }),
        ...(options.cve === undefined ? {} : { cves: options.cve }),
        ...(options.effective === undefined ? {} : { effective: effectiveVersion(options.effective) }),
        ...(options.onlyTargets === undefined ? {} : { onlyTargets: options.onlyTargets }),
        ...(options.allowLayout === undefined ? {} : { allowedLayouts: options.allowLayout }),
        ...(options.allowBusy === undefined ? {} : { allowedBusy: options.allowBusy }),
        ...(options.mostUnits === undefined ? {} : { mostUnits: options.mostUnits }),
        buildModules: options.buildModules === true,
        tell: shown.tell,
        trace: traceTo(options),
      });
      await writeFile(output, await packUpdate(update));
      shown.done();
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
      for (const { name, place } of update.manifest.wholeModules ?? []) process.stdout.write(`  ${name}: built whole, for ${place}\n`);
      for (const note of update.manifest.notes) process.stdout.write(`  note: ${spellNote(note)}\n`);
    });
}

/** What making an update and doing things ahead need alike. */
function commonRequest(source: string, { config, jobs }: CreateOptions): Omit<PrebuildRequest, "tell" | "files"> {
  return {
    source,
    ...(config === undefined ? {} : { configDir: config }),
    jobs: jobs ?? jobsFromEnvironment(),
    kmodDir: requireKmod(),
    cacheDir: cacheDirectory(),
    interruption: endingSignal,
  };
}

/** @throws Refusal `usage` where it is to do both, or files are named without it */
function isPrebuild({ prebuild: ahead, prebuildFiles, patch, series, git, diffext }: CreateOptions): boolean {
  if (ahead !== true && prebuildFiles !== undefined) throw usage("--prebuild-files goes with --prebuild");
  if (ahead === true && [patch, series, git, diffext].some((way) => way !== undefined))
    throw usage("--prebuild makes no update: leave the patch out");
  return ahead === true;
}

/** Source of the kernel part, which every update brings. @throws Refusal where only the package for applying is installed */
function requireKmod(): string {
  const directory = join(packageRoot(), "kmod");
  if (existsSync(directory)) return directory;
  throw new Refusal({
    code: "cannot-create-here",
    message: "what makes updates is not installed here: the source of the kernel part is missing",
    location: directory,
    hint: "apt-get install ksplice-build",
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

function appendCve(value: string, previous: string[] | undefined): string[] {
  const id = value.toUpperCase();
  if (!CVE_PATTERN.test(id)) throw new InvalidArgumentError("it must be an id such as CVE-2026-12345");
  return appendTo(id, previous);
}

function effectiveVersion(text: string): string {
  if (!/^[A-Za-z0-9.+~:_-]{1,64}$/.test(text)) throw usage(`--effective is "${text}", which is no version: letters, digits and .+~:_-`);
  return text;
}

/** @throws Refusal `usage` unless exactly one way is given */
function changeOf(options: CreateOptions): Change {
  const { patch, series, git, diffext, strip, patchOpt, gitDir } = options;
  if ([patch, series, git, diffext].filter((way) => way !== undefined).length !== 1)
    throw usage("give exactly one of --patch=FILE, --series=FILE, --git=COMMIT, --diffext=EXT and --prebuild");
  if (patch === undefined && series === undefined) {
    if (strip !== undefined || patchOpt !== undefined) throw usage("--strip and --patch-opt go with --patch or --series");
  }
  if (gitDir !== undefined && git === undefined) throw usage("--git-dir goes with --git");
  if (git !== undefined) return { git, ...(gitDir === undefined ? {} : { gitDir: resolve(gitDir) }) };
  if (diffext !== undefined) return { diffext };
  const how = { strip, patchOptions: patchOpt };
  return series === undefined ? { patchFile: patch ?? [], ...how } : { series, ...how };
}

/** So that the same input gives the same bytes wherever it is made: reproducible-builds.org. */
function createdByEnvironment(): { created?: Date } {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  return epoch === undefined ? {} : { created: dateOf(epoch) };
}

function dateOf(epoch: string): Date {
  if (!/^\d{1,11}$/.test(epoch)) throw usage(`SOURCE_DATE_EPOCH is "${epoch}", which is no number of seconds`);
  return new Date(Number(epoch) * 1000);
}
