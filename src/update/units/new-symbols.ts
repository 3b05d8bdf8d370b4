import { ElfFormatError } from "../../elf/elf-format-error.js";
import { UNDEFINED, type ElfObject, type ElfSymbol } from "../../elf/model.js";

/**
 * The functions and objects of a module with new code that the manifest names by alias. Once the aliases have done their work they
 * are dropped: in a backtrace the functions are to be called by their own names.
 */
export class NewSymbols {
  readonly #ko: ElfObject;
  readonly #aliases = new Map<string, ElfSymbol>();
  readonly #own = new Map<ElfSymbol, ElfSymbol>();
  readonly #unnamed = new Set<ElfSymbol>();

  constructor(ko: ElfObject, aliases: Iterable<string>) {
    this.#ko = ko;
    const names = new Set(aliases);
    const places = new Map<unknown, Map<number, ElfSymbol>>();
    for (const symbol of ko.symbols) {
      if (typeof symbol.home !== "object" || symbol.name === "") continue;
      if (names.has(symbol.name)) {
        this.#aliases.set(symbol.name, symbol);
        continue;
      }
      if (symbol.size === 0) continue;
      const offsets = places.get(symbol.home) ?? new Map<number, ElfSymbol>();
      offsets.set(symbol.value, symbol);
      places.set(symbol.home, offsets);
    }
    for (const alias of this.#aliases.values()) {
      const own = places.get(alias.home)?.get(alias.value);
      if (own !== undefined) this.#own.set(alias, own);
    }
  }

  /** The symbol at the alias's place under its own name; the alias itself if it has none. */
  find(name: string): ElfSymbol {
    const alias = this.#aliases.get(name);
    if (alias === undefined || alias.home === UNDEFINED) throw new ElfFormatError(this.#ko.fileName, `it does not define ${name}`);
    const own = this.#own.get(alias);
    if (own === undefined) this.#unnamed.add(alias);
    return own ?? alias;
  }

  /** Takes the aliases out of the symbol table, but for those that {@link find} had to give out. */
  dropAliases(): void {
    const aliases = new Set(this.#aliases.values());
    this.#ko.symbols = this.#ko.symbols.filter((symbol) => !aliases.has(symbol) || this.#unnamed.has(symbol));
  }
}
