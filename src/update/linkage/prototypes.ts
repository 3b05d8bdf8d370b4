import { comparePrototypes, hasPrototype } from "../../btf/compare-prototypes.js";
import { parseBtf } from "../../btf/parse-btf.js";
import { sourceFunction } from "../../diff/atoms/names.js";
import { topLevelItems, splitHead } from "../../source/top-level-items.js";
import type { Unit } from "../../kbuild/types.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitTypes } from "../units/unit-types.js";

/** A function as a unit's object calls it. */
export interface UnitFunction {
  readonly unit: Unit;
  readonly name: string;
  /** What else it is called there: `module_exit(f)` calls f `cleanup_module` too, of which types say nothing. */
  readonly aliases?: readonly string[];
}

/**
 * Tells whether what a function takes and returns changes with the patch. Where the text of its head is the same, and no type of the unit can be another, it does
 * not; else the units are compiled with type information, which takes seconds.
 */
export class Prototypes {
  readonly #heads: { readonly pre: Heads; readonly post: Heads };

  constructor(
    texts: readonly TouchedText[],
    private readonly types: Pick<UnitTypes, "of" | "compiled">,
  ) {
    this.#heads = { pre: collectHeads(texts, "pre"), post: collectHeads(texts, "post") };
  }

  /** @returns the difference in words, or undefined. @throws Refusal where a unit does not compile */
  async difference(before: UnitFunction, after: UnitFunction): Promise<string | undefined> {
    const { pre, post } = this.#heads;
    const [asked, ...aliases] = commonNames(before, after);
    const [from, to] = [asked, ...aliases].find(([name]) => pre.has(name)) ?? asked;
    const [old, now] = [pre.get(from), post.get(to)];
    const isSameUnit = before.unit.path === after.unit.path;
    // Where neither text has it, a macro makes it, or a file that the patch does not touch. A name in a head that is the same may mean another type.
    const isSameText = old === now && (old !== undefined || from === to);
    if (isSameText && isSameUnit && (await this.types.of(after.unit)) === undefined) return undefined;
    const [had, has] = [await this.types.compiled(before.unit), await this.types.compiled(after.unit)];
    const [preTypes, postTypes] = [parseBtf(had.pre, `pre ${before.unit.path}`), parseBtf(has.post, `post ${after.unit.path}`)];
    const isTyped = ([one, other]: SourceNames): boolean =>
      hasPrototype({ btf: preTypes, name: one }) && hasPrototype({ btf: postTypes, name: other });
    const [wasCalled, isCalled] = [[from, to] as const, asked, ...aliases].find(isTyped) ?? [from, to];
    const [was, is] = [
      { btf: preTypes, name: wasCalled },
      { btf: postTypes, name: isCalled },
    ];
    // Of a function whose parameters the compiler has changed there is no type information: then the text decides alone.
    if (old !== undefined && isSameText && !(hasPrototype(was) && hasPrototype(is))) return undefined;
    return comparePrototypes(was, is);
  }
}

/** What a function is called before and after, as the sources have it. */
type SourceNames = readonly [before: string, after: string];

/** The names that are asked about, and then those that both functions have besides. */
function commonNames(before: UnitFunction, after: UnitFunction): [SourceNames, ...SourceNames[]] {
  const shared = (before.aliases ?? []).filter((name) => after.aliases?.includes(name) === true).map(sourceFunction);
  return [[sourceFunction(before.name), sourceFunction(after.name)], ...shared.map((name): SourceNames => [name, name])];
}

type Heads = ReadonlyMap<string, string>;

function collectHeads(texts: readonly TouchedText[], side: "pre" | "post"): Heads {
  const heads = new Map<string, string>();
  for (const text of texts)
    for (const [name, head] of functionHeads(text[side])) {
      // Of two under different conditions nobody knows here which one is compiled.
      const other = heads.get(name);
      heads.set(name, other === undefined ? head : `${other}\n${head}`);
    }
  return heads;
}

/** Words that say nothing about what is passed. */
const STORAGE = /^(?:static|extern|inline|noinline|notrace|__\w+)$/;

/** The heads of the functions that a source defines, by their names, with the name and storage words left out. */
export function functionHeads(source: string): [name: string, head: string][] {
  return topLevelItems(source).flatMap(({ kind, head }): [string, string][] => {
    const parts = kind === "function" ? splitHead(head) : undefined;
    if (parts === undefined) return [];
    const { before, name } = parts;
    const result = before.split(" ").filter((word) => !STORAGE.test(word));
    return [[name, `${result.join(" ")} ${head.slice(head.indexOf("("))}`]];
  });
}
