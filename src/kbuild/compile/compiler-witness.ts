import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { runTool } from "../../host/run-tool.js";
import type { PreparedBuild } from "../types.js";
import { makeProduct, type Variant } from "./make-product.js";
import { preprocessOnly } from "./preprocessed.js";
import type { UnitCommand } from "./unit-command.js";

/** What the preprocessor makes of a unit, headers and line markers included. @throws Refusal `does-not-compile` */
export async function preprocess(build: PreparedBuild, command: UnitCommand, variant: Variant): Promise<string> {
  const compile = preprocessOnly(command);
  const bytes = await makeProduct(build, command, variant, {
    compile,
    key: [command.unit.path, ...compile, "whole text"],
    finish: async (path) => Uint8Array.from(gzipSync(await readFile(path), { level: 1 })),
  });
  return gunzipSync(bytes).toString("latin1");
}

/** What a compiler says of a text. */
export interface CompilerWitness {
  /** It has no error to tell. */
  readonly accepted: boolean;
  /** Where an error is told of: from which token on, and one behind the last that it may mean. */
  readonly errors: readonly TokenRange[];
  /** The first error, in its own words. */
  readonly first: string | undefined;
}

export interface TokenRange {
  readonly start: number;
  readonly end: number;
}

/** Lines of one token each are slow to read (a text of 900,000 tokens takes gcc 12 twenty times as long), and very long ones have no columns. */
const TOKENS_IN_LINE = 200;

/** Puts tokens into lines, those of one word into lines of their own. */
function layOut(tokens: readonly string[], alone: string): { readonly text: string; readonly starts: readonly number[] } {
  const lines: string[] = [];
  const starts: number[] = [];
  let line: string[] = [];
  const finish = (): void => {
    if (line.length > 0) lines.push(line.join(" "));
    line = [];
  };
  for (const [at, token] of tokens.entries()) {
    const isAlone = token === alone || token.startsWith("#");
    if (isAlone || line.length === TOKENS_IN_LINE) finish();
    if (line.length === 0) starts.push(at);
    line.push(token);
    if (isAlone) finish();
  }
  finish();
  return { text: `${lines.join("\n")}\n`, starts };
}

/** Errors that no other option, and no number of others, keeps back. */
const TELL_ALL = ["-fsyntax-only", "-fmax-errors=0", "-Wno-error"];

/**
 * Has the unit's compiler read a preprocessed text by its own options, without making anything of it.
 * @param tokens of the whole text
 * @param alone a word that gets lines of its own, so that it is clear which of them an error is about
 * @param errors warnings that count as errors: `designated-init`
 */
export async function askCompiler(
  build: PreparedBuild,
  command: UnitCommand,
  tokens: readonly string[],
  alone: string,
  errors: readonly string[] = [],
): Promise<CompilerWitness> {
  const temporary = join(build.cacheDir, "tmp");
  await mkdir(temporary, { recursive: true });
  const directory = await mkdtemp(join(temporary, "text-"));
  try {
    const file = join(directory, "text.i");
    const { text, starts } = layOut(tokens, alone);
    await writeFile(file, text, "latin1");
    const [program = build.compiler, ...words] = withoutPlaces(command.compile);
    const args = [...words, ...TELL_ALL, ...errors.map((warning) => `-Werror=${warning}`), file];
    const { exitCode, stderr } = await runTool(program, args, { cwd: build.outDir, root: build.root });
    const told = stderr.split("\n").flatMap((line): { range: TokenRange; words: string }[] => {
      const [, number, message] = /:(\d+)(?::\d+)?: (?:fatal )?error: (.*)$/.exec(line) ?? [];
      if (number === undefined || message === undefined) return [];
      const [start = 0, end = tokens.length] = starts.slice(Number(number) - 1, Number(number) + 1);
      return [{ range: { start, end }, words: message }];
    });
    return {
      accepted: exitCode === 0,
      errors: told.map(({ range }) => range),
      first: told[0]?.words ?? (exitCode === 0 ? undefined : stderr.split("\n")[0]),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A command's words without the source, what is written, and what only the preprocessor asks for. */
function withoutPlaces(compile: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < compile.length - 1; at++) {
    const word = compile[at] ?? "";
    if (/^-(?:o|include|imacros|isystem|iquote|idirafter|I|D|U|x|MF|MT|MQ)$/.test(word)) at++;
    else if (!/^-(?:[cSE]$|[IDU]|Wp,|M|i(?:nclude|system|quote|dirafter)|f(?:max-errors|error-limit)|Wfatal-errors|nostdinc)/.test(word))
      words.push(word);
  }
  return words;
}
