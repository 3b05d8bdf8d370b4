import { readFile } from "node:fs/promises";
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
}

/** A unit's {@link ExpandedText}, for {@link readExpandedText}. */
export function expandedText(command: UnitCommand): Product {
  const compile = preprocessOnly(command);
  return {
    compile,
    key: [command.unit.path, ...compile, "expanded text"],
    finish: async (path) => Uint8Array.from(gzipSync(JSON.stringify(expandedFrom(await readFile(path, "latin1"))), { level: 1 })),
  };
}

export function readExpandedText(product: Uint8Array): ExpandedText {
  return JSON.parse(gunzipSync(product).toString("utf8")) as ExpandedText;
}

const LINE_MARKER = /^# \d+ "((?:[^"\\]|\\.)*)"/;

/** Takes apart what the preprocessor wrote; its line markers are those of gcc's and clang's `-E`. */
export function expandedFrom(preprocessed: string): ExpandedText {
  const own: string[] = [];
  const names = new Set<string>();
  let isOwn = true;
  for (const line of preprocessed.split("\n")) {
    const [, file] = LINE_MARKER.exec(line) ?? [];
    if (file !== undefined) isOwn = !file.endsWith(".h");
    else {
      for (const [name] of line.matchAll(/(?<!\w)[A-Za-z_]\w*/g)) names.add(name);
      if (isOwn && line.trim() !== "") own.push(line.trim());
    }
  }
  const text = own.join("\n");
  const ownNames = new Set([...codeTokens(text)].filter(isName));
  return { own: hashOf([text]), ownNames: [...ownNames], names: [...names] };
}

/** The command that only preprocesses the unit. */
export function preprocessOnly(command: UnitCommand, ...options: readonly string[]): string[] {
  const [program = "", ...words] = command.compile.filter((word) => !/^-[cSEP]$/.test(word));
  return [program, "-E", ...options, ...words];
}
