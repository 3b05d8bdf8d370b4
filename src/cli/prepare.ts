import { release as runningRelease } from "node:os";
import { resolve } from "node:path";
import { Command } from "commander";
import { debian, defaultCacheDir } from "../index.js";
import { printJson, stderrProgress, type CommonOptions } from "./common.js";

interface PrepareOptions extends CommonOptions {
  readonly release?: string;
  readonly suite?: string;
  readonly aptSource?: string[];
  readonly json?: boolean;
}

/** `ksplice prepare [--release REL] [--suite NAME] [DIR]` */
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
    .option("--json", "print what was prepared as JSON")
    .action(async (directory: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PrepareOptions>();
      const progress = stderrProgress(options);
      const release = options.release ?? runningRelease();
      const dir = resolve(directory ?? `linux-${release}`);
      const prepared = await debian.prepare({
        release,
        dir,
        cacheDir: defaultCacheDir(),
        suite: options.suite,
        sources: options.aptSource,
        progress,
      });
      progress.done();
      if (options.json === true) printJson({ directory: dir, ...prepared });
      else if (options.quiet !== true) process.stdout.write(`${dir}: ${prepared.release}, source ${prepared.version}\n`);
    });
}
