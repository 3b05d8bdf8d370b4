import type { HeaderItem, HeaderText } from "./header-items.js";
import type { Macro } from "./macro-text.js";

/**
 * Macros that only choose another one by how many arguments they are given: `#define M(X...) CONCATENATE(M_, COUNT_ARGS(X))(X)` (include/linux/args.h, Linux 6.16). Each is
 * read as if it were defined several times, once for each of those that it may choose: so it is seen what becomes of its arguments, and no name is put together.
 */
export class CountedMacros {
  readonly #variants = new Map<string, Macro[]>();

  /** @param macros all that there are */
  constructor(macros: readonly Macro[]) {
    for (const macro of macros) {
      const prefix = prefixOf(macro);
      if (prefix !== undefined) this.#variants.set(prefix, []);
    }
    for (const macro of macros) if (macro.params !== undefined) this.#variants.get(macro.name.replace(/\d+$/, ""))?.push(macro);
  }

  inHeader({ items, macros }: HeaderText): HeaderText {
    if (macros.every((macro) => this.#chosenBy(macro).length === 0)) return { items, macros };
    return { items: items.map((item) => this.#inItem(item)), macros: macros.flatMap((macro) => this.#read(macro)) };
  }

  #inItem(item: HeaderItem): HeaderItem {
    const chosen = item.macros.flatMap((macro) => this.#chosenBy(macro));
    if (chosen.length === 0) return item;
    const text = [item.text, ...chosen.map(({ name }) => name)].join(" ");
    return { ...item, text, macros: item.macros.flatMap((macro) => this.#read(macro)) };
  }

  #chosenBy(macro: Macro): readonly Macro[] {
    return this.#variants.get(prefixOf(macro) ?? "") ?? [];
  }

  #read(macro: Macro): readonly Macro[] {
    const chosen = this.#chosenBy(macro);
    if (chosen.length === 0) return [macro];
    return chosen.map(({ name, params = [], rest }) => {
      const passed = rest === undefined ? params : [...params, rest];
      return { name: macro.name, params, rest, body: [name, "(", ...passed.flatMap((param) => [",", param]).slice(1), ")"] };
    });
  }
}

/** What the names begin with of those that a macro chooses from; undefined of one that does anything else. */
function prefixOf({ params, rest, body }: Macro): string | undefined {
  if (rest === undefined || params?.length !== 0 || body.length !== 12) return undefined;
  const prefix = body[2] ?? "";
  return body.join(" ") === `CONCATENATE ( ${prefix} , COUNT_ARGS ( ${rest} ) ) ( ${rest} )` && !/\d$/.test(prefix) ? prefix : undefined;
}
