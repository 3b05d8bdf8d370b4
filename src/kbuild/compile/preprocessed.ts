import { readFile } from "node:fs/promises";
import { hashOf } from "../../host/files.js";
import { isName } from "../../source/words.js";
import type { Product } from "./run-compiler.js";
import { codeTokens } from "../../source/top-level-items.js";
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

/** The hash of the lines that do not come from headers, and in further lines the words of these. */
export function expandedText(command: UnitCommand): Product {
  const compile = preprocessOnly(command);
  return {
    compile,
    key: [command.unit.path, ...compile, "own text"],
    finish: async (path) => {
      const text = ownLines(await readFile(path, "latin1")).join("\n");
      const names = new Set([...codeTokens(text)].filter(isName));
      return Buffer.from([hashOf([text]), ...[...names].sort()].join("\n"), "latin1");
    },
  };
}

/** The lines of what the preprocessor wrote that do not come from headers, without empty ones. Its line markers are those of gcc's and clang's -E. */
export function ownLines(preprocessed: string): string[] {
  const lines: string[] = [];
  let isOwn = true;
  for (const line of preprocessed.split("\n")) {
    const [, file] = /^# \d+ "((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
    if (file !== undefined) isOwn = !file.endsWith(".h");
    else if (isOwn && line.trim() !== "") lines.push(line.trim());
  }
  return lines;
}

/** The command that only preprocesses the unit. */
export function preprocessOnly(command: UnitCommand, ...options: readonly string[]): string[] {
  const [program = "", ...words] = command.compile.filter((word) => !/^-[cSEP]$/.test(word));
  return [program, "-E", ...options, ...words];
}
