import { splitShellWords } from "../../host/shell-words.js";

/** What kbuild ran to make an object, and what the object was made from. */
export interface SavedCommand {
  /** The compiler's argument vector, program first. */
  readonly compile: readonly string[];
  /** objtool's argument vector, program first, without the object; undefined where kbuild did not run it. */
  readonly objtool: readonly string[] | undefined;
  /** Files that the object depends on, as the compiler saw their paths. */
  readonly dependencies: readonly string[];
}

/**
 * Reads the text of a `.NAME.o.cmd` file. Two spellings exist: `cmd_PATH := …` and, since Linux 6.4, `savedcmd_PATH := …`.
 * Source of the format: scripts/Kbuild.include (make-cmd) and scripts/basic/fixdep.c, Linux 6.1.
 * @returns undefined if the text holds no compile command
 */
export function parseSavedCommand(text: string): SavedCommand | undefined {
  const line = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  const { compile, objtool } = parseCommandLine(unescapeMake(line));
  if (!compile.includes("-c")) return undefined;
  return { compile, objtool, dependencies: parseDependencies(text) };
}

/** Splits what kbuild gives to a shell: the compiler's command, and objtool's after it. */
export function parseCommandLine(line: string): Pick<SavedCommand, "compile" | "objtool"> {
  const commands = splitAt(splitShellWords(line), ";");
  const objtool = commands.find((words) => words[0]?.endsWith("/objtool") === true);
  return { compile: commands[0] ?? [], objtool: objtool?.slice(0, -1) };
}

/** kbuild doubles `$` and writes `#` as a variable, for make reads these files. */
function unescapeMake(text: string): string {
  return text.replaceAll("$(pound)", "#").replaceAll("$$", "$");
}

function splitAt(words: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === separator) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts.filter((part) => part.length > 0);
}

function parseDependencies(text: string): string[] {
  const [, source] = /^source_\S+ := (.*)$/m.exec(text) ?? [];
  const [, list] = /^deps_\S+ := \\\n((?:.*\\\n)*.*)$/m.exec(text) ?? [];
  const files = (list ?? "").split("\n").map((line) => line.replace(/\\$/, "").trim());
  return [source ?? "", ...files].filter((file) => file !== "" && !file.startsWith("$("));
}

/** Paths of a rule that the compiler wrote (`-MMD`): all prerequisites, in order. Blanks in paths are escaped by a backslash. */
export function parseDependencyRule(text: string): string[] {
  const joined = text.replaceAll("\\\n", " ");
  const prerequisites = joined.slice(joined.indexOf(": ") + 1).split("\n")[0] ?? "";
  return Array.from(prerequisites.matchAll(/(?:[^\s\\]|\\.)+/g), ([path]) => path.replaceAll(/\\(.)/g, "$1").replaceAll("$$", "$"));
}

/** The value of a `-DNAME=…` argument without its quotes; undefined where there is none. */
export function valueOfDefine(compile: readonly string[], name: string): string | undefined {
  const prefix = `-D${name}=`;
  return compile
    .find((word) => word.startsWith(prefix))
    ?.slice(prefix.length)
    .replaceAll('"', "");
}
