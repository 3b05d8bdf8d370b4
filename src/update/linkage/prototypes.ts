import { join } from "node:path";
import { comparePrototypes } from "../../btf/compare-prototypes.js";
import { parseBtf } from "../../btf/parse-btf.js";
import { sourceFunction } from "../../diff/names.js";
import { readLatin1 } from "../../kbuild/read-change.js";
import { readTopLevel, splitHead } from "../../kbuild/top-level-items.js";
import type { PatchedTree, Unit } from "../../kbuild/types.js";
import type { UnitTypes } from "../unit-types.js";

/** A function as a unit's object calls it. */
export interface UnitFunction {
  readonly unit: Unit;
  readonly name: string;
}

/**
 * Tells whether what a function takes and returns changes with the patch. Where the text of its head is the same, it does not; else the units are compiled
 * with type information, which takes seconds.
 */
export class Prototypes {
  #heads: Promise<{ readonly pre: Heads; readonly post: Heads }> | undefined;

  constructor(
    private readonly patched: PatchedTree,
    private readonly types: UnitTypes,
  ) {}

  /** @returns the difference in words, or undefined. @throws Refusal where a unit does not compile */
  async difference(before: UnitFunction, after: UnitFunction): Promise<string | undefined> {
    const [from, to] = [sourceFunction(before.name), sourceFunction(after.name)];
    const { pre, post } = await (this.#heads ??= this.#readHeads());
    const [old, now] = [pre.get(from), post.get(to)];
    if (old !== undefined && old === now) return undefined;
    const isSame = from === to && before.unit.path === after.unit.path;
    // Neither text has it: a macro makes it, or a file that the patch does not touch.
    if (isSame && old === undefined && now === undefined && (await this.types.of(after.unit)) === undefined) return undefined;
    const [had, has] = [await this.types.compiled(before.unit), await this.types.compiled(after.unit)];
    return comparePrototypes(
      { btf: parseBtf(had.pre, `pre ${before.unit.path}`), name: from },
      { btf: parseBtf(has.post, `post ${after.unit.path}`), name: to },
    );
  }

  async #readHeads(): Promise<{ pre: Heads; post: Heads }> {
    const { touched, shadow, root } = this.patched;
    const heads = { pre: new Map<string, string>(), post: new Map<string, string>() };
    for (const path of touched.filter((file) => /\.[ch]$/.test(file)))
      for (const [side, top] of [["pre", shadow.source] as const, ["post", root] as const])
        for (const [name, head] of functionHeads((await readLatin1(join(top, path))) ?? "")) {
          // Of two under different conditions nobody knows here which one is compiled.
          heads[side].set(name, heads[side].has(name) ? `${heads[side].get(name) ?? ""}\n${head}` : head);
        }
    return heads;
  }
}

type Heads = ReadonlyMap<string, string>;

/** Words that say nothing about what is passed. */
const STORAGE = /^(?:static|extern|inline|noinline|notrace|__\w+)$/;

/** The heads of the functions that a source defines, by their names, with the name and storage words left out. */
export function functionHeads(source: string): [name: string, head: string][] {
  return (readTopLevel(source) ?? []).flatMap(({ kind, head }): [string, string][] => {
    const parts = kind === "function" ? splitHead(head) : undefined;
    if (parts === undefined) return [];
    const { before, name } = parts;
    const result = before.split(" ").filter((word) => !STORAGE.test(word));
    return [[name, `${result.join(" ")} ${head.slice(head.indexOf("("))}`]];
  });
}
