import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { openUpdate, renderReview, reviewUpdate, type Rehearsal } from "../index.js";
import { printJson, usage, type CommonOptions } from "./common.js";

interface ReviewOptions extends CommonOptions {
  readonly output?: string;
  readonly rehearsal?: string;
  readonly json?: boolean;
}

/** `ksplice review UPDATE` */
export function reviewCommand(): Command {
  return new Command("review")
    .description(
      "lay out an update for somebody who decides about it, as one page that opens from disk: patch, code before and after, data, what is proved and what is not",
    )
    .argument("<update>", "a tarball made by ksplice-create, or its unpacked tree")
    .option("-o, --output <file>", "where the page goes (default: ksplice-ID.html)")
    .option("--rehearsal <file>", "what ksplice rehearse --json printed, to be shown with it")
    .option("--json", "print where the page is as JSON")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ReviewOptions>();
      const update = await openUpdate(path);
      const { id } = update.manifest;
      const rehearsal = options.rehearsal === undefined ? undefined : await readRehearsal(options.rehearsal, id);
      const output = options.output ?? `ksplice-${id}.html`;
      await writeFile(output, renderReview(reviewUpdate(update), rehearsal));
      if (options.json === true) printJson({ id, output });
      else if (options.quiet !== true) process.stdout.write(`${output}\n`);
    });
}

async function readRehearsal(path: string, id: string): Promise<Rehearsal> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw usage(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  let rehearsal: Partial<Rehearsal>;
  try {
    rehearsal = JSON.parse(text) as Partial<Rehearsal>;
  } catch {
    throw usage(`${path} is not what ksplice rehearse --json prints`);
  }
  if (rehearsal.matching === undefined || rehearsal.verification === undefined || rehearsal.stopNs === undefined)
    throw usage(`${path} is not what ksplice rehearse --json prints`);
  if (rehearsal.id !== id) throw usage(`${path} is the rehearsal of update ${String(rehearsal.id)}, not of ${id}`);
  return rehearsal as Rehearsal;
}
