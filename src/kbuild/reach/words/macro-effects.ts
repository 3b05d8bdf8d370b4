import { readTopLevel } from "../../../source/top-level-items.js";
import { closeOf, itemNames } from "./item-names.js";
import { findUses, type Macro } from "./macro-text.js";
import type { NamePattern, PastedNames } from "./pasted-names.js";

/** Splits the uses of macros off that stand before a declaration or function, as `PAGEFLAG ( Error , error , PF_ANY ) static inline …`. */
export function splitUses(head: string): { readonly uses: readonly string[]; readonly rest: string } {
  const uses: string[] = [];
  let rest = head;
  for (;;) {
    const [start, name = ""] = /^(\w+) \(/.exec(rest) ?? [];
    const close = start === undefined || NO_USE.test(name) ? -1 : closeOf(rest, start.length - 1);
    const behind = rest.slice(close + 1).trim();
    if (close < 0 || !/^(?:$|;|[A-Za-z_])/.test(behind) || /^__(?![A-Z]|always_inline)\w+ [;{(]/.test(behind)) return { uses, rest };
    uses.push(rest.slice(0, close + 1));
    rest = behind.replace(/^; ?/, "");
  }
}

const NO_USE = /^(?:static_assert|_Static_assert|asm|__asm__|typeof|__typeof__|__attribute__|__aligned|__printf)$/;

/**
 * What macros declare that are used at the top level: those that only declare things, or define what leaves nothing where it is not used. Found
 * by their definitions, all that there are.
 */
export class MacroEffects {
  readonly #definitions = new Map<string, Macro[]>();
  readonly #known = new Map<string, readonly NamePattern[] | undefined>();

  /** @param foreign names of macros that C files define: what they do is not known */
  constructor(
    macros: readonly Macro[],
    private readonly foreign: ReadonlySet<string>,
    private readonly pasted: PastedNames,
  ) {
    for (const macro of macros) {
      if (macro.params === undefined) continue;
      const list = this.#definitions.get(macro.name);
      if (list === undefined) this.#definitions.set(macro.name, [macro]);
      else list.push(macro);
    }
  }

  /** The names that a use declares; undefined where it may do more than that. */
  namesOf(tokens: readonly string[]): readonly string[] | undefined {
    const [use] = findUses(tokens, (name) => name === tokens[0]);
    const patterns = use === undefined ? undefined : this.#declaredBy(use.name);
    if (use?.args === undefined || patterns === undefined) return undefined;
    const names: string[] = [];
    for (const pattern of patterns)
      for (const shape of this.pasted.atUse(pattern, use.args)) {
        if (/[*#]/.test(shape)) return undefined;
        names.push(shape);
      }
    return names;
  }

  #declaredBy(name: string): readonly NamePattern[] | undefined {
    if (this.#known.has(name)) return this.#known.get(name);
    // One that uses itself is not looked into.
    this.#known.set(name, undefined);
    const definitions = this.#definitions.get(name);
    if (definitions === undefined || this.foreign.has(name)) return undefined;
    const found: NamePattern[] = [];
    for (const macro of definitions) {
      const declared = this.#readBody(macro);
      if (declared === undefined) return undefined;
      found.push(...declared);
    }
    this.#known.set(name, found);
    return found;
  }

  #readBody(macro: Macro): NamePattern[] | undefined {
    const { text, pasted } = withPlaceholders(macro);
    const items = readTopLevel(/[;}]\s*$/.test(text) || text === "" ? text : `${text} ;`);
    if (items === undefined) return undefined;
    const found: NamePattern[] = [];
    for (const item of items) {
      if (item.kind === "directive") return undefined;
      const { uses, rest } = splitUses(item.head);
      for (const use of uses) {
        const declared = this.#declaredByUse(use, macro, pasted);
        if (declared === undefined) return undefined;
        found.push(...declared);
      }
      if (rest === "" || rest === ";") continue;
      const names = itemNames({ ...item, head: rest });
      if (names === undefined) return undefined;
      for (const name of names) found.push(patternOf(name, macro, pasted));
    }
    return found;
  }

  #declaredByUse(text: string, macro: Macro, pasted: ReadonlyMap<string, NamePattern>): NamePattern[] | undefined {
    const [use] = findUses(text.split(" "), (name) => text.startsWith(`${name} (`));
    const patterns = use === undefined || macro.params?.includes(use.name) === true ? undefined : this.#declaredBy(use.name);
    if (use?.args === undefined || patterns === undefined) return undefined;
    const found: NamePattern[] = [];
    for (const pattern of patterns) {
      const made: (string | number)[] = [];
      for (const piece of pattern) {
        const argument = typeof piece === "number" ? use.args[piece] : undefined;
        if (typeof piece === "string") made.push(piece);
        else if (argument?.length === 1) made.push(...patternOf(argument[0] ?? "", macro, pasted));
        else if (argument?.length !== 0) return undefined;
      }
      found.push(made);
    }
    return found;
  }
}

/** A word of a macro's body as a pattern. */
function patternOf(word: string, macro: Macro, pasted: ReadonlyMap<string, NamePattern>): NamePattern {
  const param = macro.params?.indexOf(word) ?? -1;
  return pasted.get(word) ?? [param >= 0 ? param : word === macro.rest ? "*" : word];
}

/** The body with one word for each name that is put together. */
function withPlaceholders(macro: Macro): { text: string; pasted: ReadonlyMap<string, NamePattern> } {
  const pasted = new Map<string, NamePattern>();
  const tokens: string[] = [];
  const { body } = macro;
  const isPaste = (at: number): boolean => body[at] === "#" && body[at + 1] === "#";
  for (let at = 0; at < body.length; at++) {
    if (!isPaste(at + 1)) {
      tokens.push(body[at] ?? "");
      continue;
    }
    const pieces: (string | number)[] = [...patternOf(body[at] ?? "", macro, new Map())];
    while (isPaste(at + 1)) {
      pieces.push(...patternOf(body[at + 3] ?? "", macro, new Map()));
      at += 3;
    }
    const word = `pasted${pasted.size}_of_macro`;
    pasted.set(word, pieces);
    tokens.push(word);
  }
  return { text: tokens.join(" "), pasted };
}
