#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { printJson, runProgram } from "../src/cli/common.js";
import { judgeTouchedFile } from "../src/kbuild/change/touched-files.js";
import { NOTE_KINDS, type SemanticNote } from "../src/notes/types.js";
import { semanticNotes } from "../src/notes/semantic-notes.js";
import { compareTrees } from "./changed-files.js";

interface CountOptions {
  readonly json?: boolean;
}

/** How many notes each kind makes, each file of a release taken as a patch by itself. */
const program = new Command("count-notes")
  .description(
    "say how often each kind of semantic note speaks, each C file of the kernel that differs between two source trees taken as a patch",
  )
  .argument("<from>", "source tree before")
  .argument("<to>", "source tree after")
  .option("--json", "print the notes, as JSON")
  .exitOverride()
  .action(async (from: string, to: string, options: CountOptions) => {
    const { changed } = await compareTrees(from, to);
    const files = changed.filter((path) => path.endsWith(".c") && judgeTouchedFile(path).kind === "compile");
    const notes: SemanticNote[] = [];
    for (const path of files) {
      const [pre, post] = await Promise.all([from, to].map((tree) => readFile(join(tree, path), "latin1")));
      notes.push(...semanticNotes([{ path, pre, post }]));
    }
    if (options.json === true) {
      printJson(notes);
      return;
    }
    const speaking = new Set(notes.map(({ file }) => file));
    process.stdout.write(`${files.length} files, ${speaking.size} with a note (${share(speaking.size, files.length)})\n`);
    for (const kind of NOTE_KINDS) {
      const own = notes.filter((note) => note.kind === kind);
      const count = new Set(own.map(({ file }) => file)).size;
      process.stdout.write(`${kind}: ${own.length} notes in ${count} files (${share(count, files.length)})\n`);
    }
  });

function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}

await runProgram(program, process.argv);
