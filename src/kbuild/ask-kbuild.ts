import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeKernel } from "./make.js";
import type { PreparedBuild } from "./types.js";

/** What kbuild says of one object. Paths as kbuild spells them: below the output directory, or absolute. */
export interface KbuildAnswer {
  readonly rule: "cc_o_c" | "as_o_S";
  /** On the lists of what goes into the kernel, into modules; a module of its own. */
  readonly isBuiltIn: boolean;
  readonly isModular: boolean;
  readonly isWholeModule: boolean;
  readonly object: string;
  readonly source: string;
  /** Files that kbuild makes, or wants there, before it compiles the object; without its source. */
  readonly prerequisites: readonly string[];
  /** For a shell. */
  readonly command: string;
}

export interface KbuildAnswers {
  /** By the directory whose makefile makes the objects. */
  readonly byOwner: ReadonlyMap<string, readonly KbuildAnswer[]>;
  /** Every makefile that was read for them, as make spells it. */
  readonly makefiles: ReadonlySet<string>;
  /** What make had to say. */
  readonly words: string;
}

/**
 * Makes kbuild tell instead of make. Each rule that compiles goes through `if_changed_rule` (scripts/Makefile.build and Kbuild.include, Linux 6.1);
 * these variables on make's command line take its place, and write down what would have been run. `real-obj-y`, `lib-y` and `real-obj-m`
 * are kbuild's own lists of what goes into the kernel and into modules (scripts/Makefile.lib). The environment of every recipe expands the
 * variables too, with `$(1)` empty.
 */
const FIELDS = [
  "$(1)",
  "$(filter $@,$(real-obj-y) $(lib-y))",
  "$(filter $@,$(real-obj-m))",
  "$(filter $@,$(obj-m))",
  "$@",
  "$<",
  "$(filter-out FORCE $<,$^ $|)",
  "$(cmd_$(1))",
];
const RULES_SUFFIX = ".rules";
const DIRECTORY = "KSPLICE_ANSWERS";
export const TELL: readonly string[] = [
  `if_changed_rule=$(if $(filter cc_o_c as_o_S,$(1)),` +
    `$(file >$(${DIRECTORY})/$(subst /,!,$(obj))${RULES_SUFFIX},$(MAKEFILE_LIST))` +
    `$(file >>$(${DIRECTORY})/$(subst /,!,$(obj)),${FIELDS.join("|")}))@:`,
  "if_changed=@:",
  "if_changed_dep=@:",
];

/** The file of a directory of answers that has those of one makefile. */
export const answerFile = (owner: string): string => owner.replaceAll("/", "!");

/**
 * Asks how every object of the configuration is made, in a dry run over the whole tree: a quarter of a minute on two cores, and nothing is compiled.
 * Callers hold the build's lock.
 * @param directory is emptied; gets kbuild's answers, see {@link answerFile}
 */
export async function askKbuild(build: PreparedBuild, directory: string): Promise<KbuildAnswers> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const place = `${DIRECTORY}=${directory.replaceAll("$", "$$$$")}`;
  // Make fails in the end: a key that modules are signed with, and what is made of objects, cannot be made in a dry run.
  const result = await makeKernel({ ...build, source: build.tree.source }, ["-k", "-n", place, ...TELL, "./"]);
  const byOwner = new Map<string, readonly KbuildAnswer[]>();
  const makefiles = new Set<string>();
  for (const name of await readdir(directory)) {
    const text = await readFile(join(directory, name), "utf8");
    if (!name.endsWith(RULES_SUFFIX)) byOwner.set(name.replaceAll("!", "/"), parseAnswers(text));
    else for (const makefile of text.split(/\s+/)) if (makefile !== "") makefiles.add(makefile);
  }
  return { byOwner, makefiles, words: result.stderr };
}

/** @throws Error for a line that is none of ours */
export function parseAnswers(text: string): KbuildAnswer[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [rule, builtIn, modular, whole, object = "", source = "", prerequisites = "", ...command] = line.split("|");
      if ((rule !== "cc_o_c" && rule !== "as_o_S") || object === "" || command.length === 0)
        throw new Error(`kbuild's answer is not understood: ${line.slice(0, 200)}`);
      return {
        rule,
        isBuiltIn: builtIn !== "",
        isModular: modular !== "",
        isWholeModule: whole !== "",
        object,
        source,
        prerequisites: prerequisites.split(/\s+/).filter((path) => path !== ""),
        command: command.join("|").trim(),
      };
    });
}
