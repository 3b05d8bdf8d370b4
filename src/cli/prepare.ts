import { release as runningRelease } from "node:os";
import { resolve } from "node:path";
import { Command } from "commander";
import { defaultCacheDir, prepareDebianKernel } from "../index.js";
import { printJson, stderrProgress, type CommonOptions } from "./common.js";

interface PrepareOptions extends CommonOptions {
  readonly release?: string;
  readonly json?: boolean;
}

/** `ksplice prepare [--release REL] [DIR]` */
export function prepareCommand(): Command {
  return new Command("prepare")
    .description("fetch a distribution kernel's source, headers and image, and make a tree for ksplice-create of them; installs nothing")
    .argument("[dir]", "the tree to make (default: linux-RELEASE)")
    .option("--release <rel>", "the kernel, as uname -r says it (default: the running kernel's)")
    .option("--json", "print what was prepared as JSON")
    .action(async (directory: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PrepareOptions>();
      const progress = stderrProgress(options);
      const release = options.release ?? runningRelease();
      const dir = resolve(directory ?? `linux-${release}`);
      const prepared = await prepareDebianKernel({ release, dir, cacheDir: defaultCacheDir(), progress });
      progress.done();
      if (options.json === true) printJson({ directory: dir, ...prepared });
      else if (options.quiet !== true) process.stdout.write(`${dir}: ${prepared.release}, source ${prepared.version}\n`);
    });
}
