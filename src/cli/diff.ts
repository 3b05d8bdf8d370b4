import { Command } from "commander";
import {
  diffObjects,
  disassembleFunction,
  EXIT_DONE,
  EXIT_NO_CHANGE,
  EXIT_REFUSED,
  mergeLines,
  unreadableObject,
  type ElfObject,
  type FunctionChange,
  type ObjectDiff,
} from "../index.js";
import { printJson, traceTo, type CommonOptions } from "./common.js";
import { readingFiles, readObject } from "./read-object.js";

interface DiffOptions extends CommonOptions {
  readonly json?: boolean;
  readonly disassemble?: boolean;
  readonly trace?: boolean;
}

const EXIT_STATUS = { changed: EXIT_DONE, "no-change": EXIT_NO_CHANGE, refused: EXIT_REFUSED } as const;

/** `ksplice diff`: what changed between two objects of one compilation unit. */
export function diffCommand(): Command {
  return new Command("diff")
    .description("compare two objects of one compilation unit, function by function")
    .argument("<pre>", "object compiled from the unpatched source")
    .argument("<post>", "object compiled from the patched source, by the same compiler with the same options")
    .option("--json", "print the result as JSON")
    .option("--disassemble", "show both sides of each function that changed")
    .option("--trace", "how the two sides are paired, on stderr: what each function and object was taken for, and why")
    .addHelpText(
      "after",
      "\nExit status: 0 changed, 66 no change, 1 refused. Objects compiled with -ffunction-sections -fdata-sections compare best.",
    )
    .action((prePath: string, postPath: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<DiffOptions>();
      const [pre, post] = [readFile(prePath), readFile(postPath)];
      const diff = readingFiles(() => diffObjects(pre, post, traceTo(options)));
      if (options.json === true) printJson(toJson(diff, options.disassemble === true));
      else printText(diff, options);
      process.exitCode = EXIT_STATUS[diff.verdict];
    });
}

function readFile(path: string): ElfObject {
  try {
    return readObject(path);
  } catch (error) {
    if (error instanceof Error && "syscall" in error)
      throw unreadableObject(path, error.message.replace(/^(\w+): /, "").replace(/, .*/, ""));
    throw error;
  }
}

/** The documented JSON; docs/diff.md describes it. */
function toJson(diff: ObjectDiff, withDisassembly: boolean): unknown {
  const functions = (changes: readonly FunctionChange[]): unknown[] =>
    changes.map((change) => ({
      name: change.name,
      ...(change.sourceLine === undefined ? {} : { sourceLine: change.sourceLine }),
      ...(change.reasons.length === 0 ? {} : { reasons: change.reasons }),
      ...(withDisassembly
        ? {
            pre: change.pre === undefined ? [] : linesOf(change.pre, diff.pre),
            post: change.post === undefined ? [] : linesOf(change.post, diff.post),
          }
        : {}),
    }));
  const names = (changes: readonly { name: string }[]): unknown[] => changes.map(({ name }) => ({ name }));
  return {
    verdict: diff.verdict,
    functions: {
      changed: functions(diff.functions.changed),
      new: functions(diff.functions.new),
      removed: functions(diff.functions.removed),
    },
    data: { changed: names(diff.data.changed), new: names(diff.data.new), removed: names(diff.data.removed) },
    refusals: diff.refusals,
    notes: diff.notes,
  };
}

function linesOf(symbol: NonNullable<FunctionChange["post"]>, object: ElfObject): string[] {
  return disassembleFunction(symbol, object).map(({ offset, text }) => `${offset.toString(16)}: ${text}`);
}

function printText(diff: ObjectDiff, options: DiffOptions): void {
  const lines: string[] = [];
  if (options.quiet !== true) {
    if (diff.verdict === "no-change") lines.push("no change");
    const list = (what: string, changes: readonly { name: string; reasons?: readonly string[] }[]): void => {
      for (const { name, reasons } of changes)
        lines.push(`${what} ${name}${reasons === undefined || reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`);
    };
    list("changed function", diff.functions.changed);
    list("new function", diff.functions.new);
    list("removed function", diff.functions.removed);
    list("changed data", diff.data.changed);
    list("new data", diff.data.new);
    list("removed data", diff.data.removed);
    for (const note of diff.notes) lines.push(`note: ${note}`);
  }
  if (options.disassemble === true)
    for (const change of [...diff.functions.changed, ...diff.functions.new, ...diff.functions.removed])
      lines.push("", ...disassemblyOf(change, diff));
  for (const line of lines) process.stdout.write(`${line}\n`);
  for (const { code, message } of diff.refusals) process.stderr.write(`refused (${code}): ${message}\n`);
}

function disassemblyOf({ name, pre, post }: FunctionChange, diff: ObjectDiff): string[] {
  const merged = mergeLines(
    pre === undefined ? [] : disassembleFunction(pre, diff.pre),
    post === undefined ? [] : disassembleFunction(post, diff.post),
  );
  return [`${name}:`, ...merged.map(({ mark, offset, text }) => `${mark} ${offset.toString(16).padStart(5)}: ${text}`)];
}
