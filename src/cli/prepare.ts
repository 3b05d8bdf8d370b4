import { release as runningRelease } from "node:os";
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { debian, prepareModule, prepareOwnKernel } from "../index.js";
import { cacheDirectory, printJson, usage, type CommonOptions } from "./common.js";
import { showEvents } from "./show-events.js";

interface PrepareOptions extends CommonOptions {
  readonly release?: string;
  readonly suite?: string;
  readonly aptSource?: string[];
  readonly build?: string;
  readonly config?: string;
  readonly module?: string;
  readonly ko?: string;
  readonly kernelSource?: string;
  readonly json?: boolean;
}

/** `ksplice prepare [--release REL] [--suite NAME] [DIR]`, `ksplice prepare --build DIR`, `ksplice prepare --module DIR --kernel-source TREE [DIR]` */
export function prepareCommand(): Command {
  return new Command("prepare")
    .description("fetch a distribution kernel's source, headers and image, and make a tree for ksplice-create of them; installs nothing")
    .argument("[dir]", "the tree to make (default: linux-RELEASE)")
    .option("--release <rel>", "the kernel, as uname -r says it (default: the running kernel's)")
    .option(
      "--suite <name>",
      "the Debian release that has it, by code name (default: this machine's sources, then what the kernel's name says)",
    )
    .option(
      "--apt-source <entry>",
      "an entry as in sources.list to take it from, in place of a suite's; may be repeated",
      (value: string, previous: string[] | undefined) => [...(previous ?? []), value],
    )
    .option("--build <dir>", "a kernel of your own: where it was built, its source or what `make O=` named; its source is the tree then")
    .option(
      "--config <dir>",
      "with --build: the configuration directory to make; with --kernel-source: the one to read (default: ksplice in the source)",
    )
    .option(
      "--module <dir>",
      "a module that is no part of the kernel: its source, as `make M=DIR` builds it; the tree to make is for updates of it",
    )
    .option("--ko <file>", "with --module: the module's file, as it runs (default: the one in its source)")
    .option("--kernel-source <dir>", "with --module: the tree of the kernel that it runs in")
    .option("--json", "print what was prepared as JSON")
    .action(async (directory: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PrepareOptions>();
      const shown = showEvents("ksplice prepare", options);
      if (options.build !== undefined) {
        if (directory !== undefined || options.release !== undefined || options.suite !== undefined || options.aptSource !== undefined)
          throw usage("--build goes with --config only: the tree is the source that the kernel was built from");
        await prepareOwn(options.build, options);
        return;
      }
      if (options.module !== undefined) {
        await prepareOfModule(options.module, directory, options);
        return;
      }
      for (const name of ["ko", "kernelSource"] as const)
        if (options[name] !== undefined) throw usage(`--${name === "ko" ? "ko" : "kernel-source"} goes with --module`);
      if (options.config !== undefined) throw usage("--config goes with --build, or with --kernel-source");
      const release = options.release ?? runningRelease();
      const dir = resolve(directory ?? `linux-${release}`);
      const prepared = await debian.prepare({
        release,
        dir,
        cacheDir: cacheDirectory(),
        suite: options.suite,
        sources: options.aptSource,
        tell: shown.tell,
      });
      shown.done();
      if (options.json === true) printJson({ directory: dir, ...prepared });
      else if (options.quiet !== true) process.stdout.write(`${dir}: ${prepared.release}, source ${prepared.version}\n`);
    });
}

async function prepareOwn(build: string, options: PrepareOptions): Promise<void> {
  const shown = showEvents("ksplice prepare", options);
  const prepared = await prepareOwnKernel({ build, configDir: options.config, tell: shown.tell });
  shown.done();
  const { changed, source, configDir, release } = prepared;
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : "";
  if (changed.length > 0 && options.quiet !== true)
    process.stderr.write(`ksplice prepare: changed since the kernel was built: ${changed.slice(0, 3).join(", ")}${more}\n`);
  if (options.json === true) printJson(prepared);
  else if (options.quiet !== true) process.stdout.write(`${configDir}: ${release}, source ${source}\n`);
}

async function prepareOfModule(module: string, directory: string | undefined, options: PrepareOptions): Promise<void> {
  const { kernelSource, config, ko } = options;
  if (kernelSource === undefined) throw usage("--module goes with --kernel-source: the tree that `ksplice prepare` made of the kernel");
  if (options.release !== undefined || options.suite !== undefined || options.aptSource !== undefined)
    throw usage("--module goes with --ko, --kernel-source and --config only: the release is the kernel's");
  const shown = showEvents("ksplice prepare", options);
  const dir = resolve(directory ?? `${basename(resolve(module))}-tree`);
  const request = { module, ko, kernelSource, configDir: config, dir, cacheDir: cacheDirectory(), tell: shown.tell };
  const prepared = await prepareModule(request);
  shown.done();
  if (options.json === true) printJson({ directory: dir, ...prepared });
  else if (options.quiet !== true) process.stdout.write(`${dir}: ${prepared.module.name}, ${prepared.release}\n`);
}
