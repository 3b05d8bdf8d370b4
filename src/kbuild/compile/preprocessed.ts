import { readFile } from "node:fs/promises";
import { normalize } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { hashOf } from "../../host/files.js";
import { codeTokens } from "../../source/top-level-items.js";
import { isName } from "../../source/words.js";
import type { Product } from "./run-compiler.js";
import type { UnitCommand } from "./unit-command.js";

/** A hash of the unit's text behind the preprocessor, without what only places it. */
export function preprocessedText(command: UnitCommand): Product {
  const compile = preprocessOnly(command, "-P");
  return {
    compile,
    key: [command.unit.path, ...compile, "text"],
    finish: async (path) => {
      const lines = (await readFile(path, "latin1")).split("\n").map((line) => line.trim());
      return Buffer.from(hashOf([lines.filter((line) => line !== "").join("\n")]));
    },
  };
}

/** What a unit comes to once all macros are replaced. */
export interface ExpandedText {
  /** Hash of the lines that do not come from headers. */
  readonly own: string;
  /** The names in these lines. */
  readonly ownNames: readonly string[];
  /** All names in the unit's text, headers and all. Those in strings count too. */
  readonly names: readonly string[];
  /** For each name the place in `files` of the one that has it; {@link SEVERAL} where more than one has. */
  readonly homes: readonly number[];
  /** From the top of the source where they lie in that. */
  readonly files: readonly string[];
}

/** More than one file. */
export const SEVERAL = -1;

/** A unit's {@link ExpandedText}, for {@link readExpandedText}. @param top of the source that is preprocessed */
export function expandedText(command: UnitCommand, top: string): Product {
  const compile = preprocessOnly(command);
  return {
    compile,
    key: [command.unit.path, ...compile, "expanded text and its files"],
    finish: async (path) => Uint8Array.from(gzipSync(JSON.stringify(expandedFrom(await readFile(path, "latin1"), top)), { level: 1 })),
  };
}

export function readExpandedText(product: Uint8Array): ExpandedText {
  return JSON.parse(gunzipSync(product).toString("utf8")) as ExpandedText;
}

const LINE_MARKER = /^# \d+ "((?:[^"\\]|\\.)*)"/;

/** Takes apart what the preprocessor wrote; its line markers are those of gcc's and clang's `-E`. */
export function expandedFrom(preprocessed: string, top: string): ExpandedText {
  const own: string[] = [];
  const files = new Map<string, number>();
  const homes = new Map<string, number>();
  let isOwn = true;
  let current = SEVERAL;
  for (const line of preprocessed.split("\n")) {
    const [, file] = LINE_MARKER.exec(line) ?? [];
    if (file !== undefined) {
      isOwn = !file.endsWith(".h");
      const path = placeOf(file, top);
      current = files.get(path) ?? files.size;
      files.set(path, current);
      continue;
    }
    for (const [name] of line.matchAll(/(?<!\w)[A-Za-z_]\w*/g)) {
      const home = homes.get(name);
      if (home === undefined) homes.set(name, current);
      else if (home !== current) homes.set(name, SEVERAL);
    }
    if (isOwn && line.trim() !== "") own.push(line.trim());
  }
  const text = own.join("\n");
  const ownNames = new Set([...codeTokens(text)].filter(isName));
  return { own: hashOf([text]), ownNames: [...ownNames], names: [...homes.keys()], homes: [...homes.values()], files: [...files.keys()] };
}

function placeOf(file: string, top: string): string {
  const path = normalize(file);
  return path.startsWith(`${top}/`) ? path.slice(top.length + 1) : path;
}

/** The command that only preprocesses the unit. */
export function preprocessOnly(command: UnitCommand, ...options: readonly string[]): string[] {
  const [program = "", ...words] = command.compile.filter((word) => !/^-[cSEP]$/.test(word));
  return [program, "-E", ...options, ...words];
}
