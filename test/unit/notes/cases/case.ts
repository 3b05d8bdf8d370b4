import type { SemanticNote } from "../../../../src/notes/types.js";
import { semanticNotes } from "../../../../src/notes/semantic-notes.js";

export interface Case {
  readonly title: string;
  readonly pre: string;
  readonly post: string;
}

export function notesOf({ pre, post }: Pick<Case, "pre" | "post">): readonly SemanticNote[] {
  return semanticNotes([{ path: "drivers/toy/toy.c", pre, post }]);
}

/** A function by its statements. */
export function fn(head: string, ...statements: string[]): string {
  return `static ${head}\n{\n${statements.map((line) => `\t${line}\n`).join("")}}\n\n`;
}

export const PROBE = "int toy_probe(struct device *dev)";
export const REMOVE = "void toy_remove(struct device *dev)";
export const OPS = "static struct toy_driver toy_driver = {\n\t.probe = toy_probe,\n\t.remove = toy_remove,\n};\n";
export const MOUNT_OPS = "static int toy_get_tree(struct fs_context *fc)\n{\n\treturn get_tree_bdev(fc, toy_fill_super);\n}\n";
