import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeKernel, UNIT_FLAGS } from "../make.js";
import { WITHOUT_RUST_OBJECTS } from "../recorded-rust.js";
import type { PreparedBuild } from "../types.js";

/** Makes the C functions that Rust calls, by the command of `cc_o_c`. */
const RUST_HELPERS = "rust_cc_library";

/** Rules of scripts/Makefile.build and Makefile.host (Linux 6.1), and of rust/Makefile (7.3), that run a compiler, and what they make. */
const COMPILER_RULES = {
  cc_o_c: "c",
  [RUST_HELPERS]: "c",
  as_o_S: "assembly",
  // Assembly whose text becomes a header: asm-offsets.s, bounds.s.
  cc_s_c: "offsets",
  cpp_lds_S: "linker-script",
  "host-csingle": "host-program",
  "host-cobjs": "host-program",
} as const;

/** What an object is; `generated` is any other file that kbuild makes of sources. */
export type ObjectKind = (typeof COMPILER_RULES)[keyof typeof COMPILER_RULES] | "generated";

/** What kbuild says of one object. Paths as kbuild spells them: below the output directory, or absolute. */
export interface KbuildAnswer {
  readonly kind: ObjectKind;
  /** On the lists of what goes into the kernel, into modules; a module of its own. */
  readonly isBuiltIn: boolean;
  readonly isModular: boolean;
  readonly isWholeModule: boolean;
  /** Names of what is linked of this object and others, as kbuild's lists have them: `xe`. */
  readonly partOf: readonly string[];
  readonly object: string;
  readonly source: string;
  /** Files that kbuild makes, or wants there, before it compiles the object; without its source. */
  readonly prerequisites: readonly string[];
  /** For a shell; may have several lines. Empty where a makefile has it in a rule of its own. */
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
 * Makes kbuild tell instead of make. Each rule goes through one of these variables (scripts/Makefile.build and Kbuild.include, Linux 6.1); on make's
 * command line they write down what would have been run. `real-obj-y`, `lib-y` and `real-obj-m` are kbuild's own lists of what goes into the
 * kernel and into modules (scripts/Makefile.lib). The environment of every recipe expands the variables too, with `$(1)` empty.
 */
const FIELDS = [
  "$(1)",
  "$(filter $@,$(real-obj-y) $(lib-y))",
  "$(filter $@,$(real-obj-m))",
  "$(filter $@,$(obj-m))",
  // As `modname-multi` in scripts/Makefile.lib, but by the object's whole name: in a rule of a makefile's own, `$*` is another.
  "$(foreach m,$(multi-obj-ym),$(if $(filter $(patsubst $(obj)/%,%,$@),$(call suffix-search,$(m),.o,-objs -y -m)),$(m:.o=)))",
  "$@",
  "$<",
  "$(filter-out FORCE $<,$^ $|)",
];
const ANSWER = [...FIELDS, `$(cmd_$(patsubst ${RUST_HELPERS},cc_o_c,$(1)))`].join("|");
const DIRECTORY = "KSPLICE_ANSWERS";
const [ANSWERS, RULES] = ["answers-", "rules-"];
const place = (prefix: string): string => `$(${DIRECTORY})/${prefix}$(subst /,!,$(obj))`;
const tellCommand =
  `$(if $(filter ${Object.keys(COMPILER_RULES).join(" ")},$(1)),` +
  `$(file >${place(RULES)},$(MAKEFILE_LIST))$(file >>${place(ANSWERS)},${ANSWER}))`;
// Objects have been told; files of a dot are checks of kbuild's own.
const tellSources = `$(if $(1),$(if $(filter $(srctree)/%,$(if $(filter %.o .%,$@),,$^)),$(file >>${place(ANSWERS)},${ANSWER})))`;
export const TELL: readonly string[] = [
  `if_changed_rule=${tellCommand}@:`,
  `if_changed_dep=${tellCommand}@:`,
  `if_changed=${tellSources}@:`,
  `cmd=${tellSources}@:`,
];

/** The file of a directory of answers that has those of one makefile. */
export const answerFile = (owner: string): string => ANSWERS + owner.replaceAll("/", "!");

/** The file of a directory of answers that names the makefiles which were read for those of one; not there where that makes no object itself. */
export const rulesFile = (owner: string): string => RULES + owner.replaceAll("/", "!");

/**
 * Asks how every object of the configuration is made, in a dry run over the whole tree: a quarter of a minute on two cores, and nothing is compiled. In the tree of an
 * external module only about its own objects.
 * Callers hold the build's lock.
 * @param directory is emptied; gets kbuild's answers, see {@link answerFile}
 * @param about only what is made in these directories of the source and below; kbuild reads the makefiles above them for it
 */
export async function askKbuild(build: PreparedBuild, directory: string, about: readonly string[] = ["."]): Promise<KbuildAnswers> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const answers = `${DIRECTORY}=${directory.replaceAll("$", "$$$$")}`;
  // Make fails in the end: a key that modules are signed with, and what is made of objects, cannot be made in a dry run.
  // Beside Rust lie C objects of the kernel's image.
  const makeVariables = build.makeVariables.filter((variable) => variable !== WITHOUT_RUST_OBJECTS);
  const { source, external } = build.tree;
  const targets = external === undefined ? about.map((path) => `${path}/`) : [`M=${join(source, external.directory)}`, "modules"];
  const flags =
    external === undefined ? UNIT_FLAGS : [...UNIT_FLAGS, `-fmacro-prefix-map=${join(source, external.directory)}=${external.builtIn}`];
  const result = await makeKernel({ ...build, makeVariables, source }, ["-k", "-n", answers, ...TELL, ...targets], flags);
  const byOwner = new Map<string, readonly KbuildAnswer[]>();
  const makefiles = new Set<string>();
  for (const name of await readdir(directory)) {
    const text = await readFile(join(directory, name), "utf8");
    if (name.startsWith(ANSWERS)) byOwner.set(name.slice(ANSWERS.length).replaceAll("!", "/"), parseAnswers(text));
    else for (const makefile of text.split(/\s+/)) if (makefile !== "") makefiles.add(makefile);
  }
  return { byOwner, makefiles, words: result.stderr };
}

/** How an answer begins: a rule's name; three times the object, as often as a list has it; names; the object, its source, prerequisites. */
const BEGINNING = /^[\w-]+\|([^|]*)\|([^|]*)\|([^|]*)\|[^|]*\|([^|]+)\|[^|]*\|[^|]*\|/;

function isBeginning(line: string): boolean {
  const [found, ...fields] = BEGINNING.exec(line) ?? [];
  return found !== undefined && fields.slice(0, 3).every((field) => field.split(" ").every((word) => word === "" || word === fields[3]));
}

/** @throws Error where the first line is none of ours */
export function parseAnswers(text: string): KbuildAnswer[] {
  const answers: string[] = [];
  for (const line of text.split("\n")) {
    if (isBeginning(line)) answers.push(line);
    else if (line.trim() === "") continue;
    else if (answers.length === 0) throw new Error(`kbuild's answer is not understood: ${line.slice(0, 200)}`);
    // A command that a makefile defines in several lines.
    else answers.push(`${answers.pop() ?? ""}\n${line}`);
  }
  return answers.map((answer) => {
    const [rule = "", builtIn, modular, whole, partOf = "", object = "", source = "", prerequisites = "", ...command] = answer.split("|");
    return {
      kind: (COMPILER_RULES as Readonly<Record<string, ObjectKind>>)[rule] ?? "generated",
      isBuiltIn: builtIn !== "",
      isModular: modular !== "",
      isWholeModule: whole !== "",
      partOf: partOf.split(/\s+/).filter((name) => name !== ""),
      object,
      source,
      prerequisites: prerequisites.split(/\s+/).filter((path) => path !== ""),
      command: command.join("|").trim(),
    };
  });
}
