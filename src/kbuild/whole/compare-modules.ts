import { SHF_ALLOC, SHT_NOBITS, STB_LOCAL, STT_FILE, STT_FUNC, STT_OBJECT, STT_SECTION } from "../../elf/constants.js";
import { AbsoluteAddress, homeSection, type ElfObject, type ElfRelocation, type ElfSection, type ElfSymbol } from "../../elf/model.js";
import { parseVersions, VERSIONS_SECTION } from "../../elf/module-versions.js";
import { readModinfo } from "../module/module-metadata.js";

/** Where a module that was built is not like the one that was shipped. */
export interface ModuleDifference {
  /** `.text`, `.modinfo`. */
  readonly section: string;
  /** The function or object at the place, where one is there. */
  readonly symbol: string | undefined;
  /** What is different, in words. */
  readonly what: string;
}

/**
 * Sections that say which build this is (build id, the distribution's salt), and types, which are left out. What the loader reads of `.modinfo` and
 * `__versions` is compared by its meaning.
 */
const OTHERWISE = /^(\.note\.|\.BTF|\.modinfo$|__versions$)/;

/** Entries of `.modinfo` that name the build or where it took place. */
const OF_THE_BUILD: ReadonlySet<string> = new Set(["srcversion", "intree", "staging", "sig_id", "signer", "sig_key", "sig_hashalgo"]);

/** More would tell nothing further. */
const MOST = 8;

/**
 * Compares all that the kernel's loader makes of two modules: every section that comes into memory, byte by byte, with every relocation and what it
 * leads to; functions and objects with names, places and sizes; entries of `.modinfo`, versions of imports.
 * @returns differences, at most some; none where the modules are alike
 */
export function compareModules(shipped: ElfObject, built: ElfObject): ModuleDifference[] {
  return [
    ...compareLists(".modinfo", modinfoOf(shipped), modinfoOf(built)),
    ...compareLists(VERSIONS_SECTION, versionsOf(shipped), versionsOf(built)),
    ...compareSections(shipped, built),
    ...compareLists("the symbol table", symbolsOf(shipped), symbolsOf(built)),
  ].slice(0, MOST);
}

export function modinfoOf(module: ElfObject): string[] {
  return readModinfo(module)
    .filter(([tag]) => !OF_THE_BUILD.has(tag))
    .map(([tag, value]) => `${tag}=${value}`);
}

function versionsOf(module: ElfObject): string[] {
  return [...parseVersions(module)].map(([name, crc]) => `${name} 0x${crc.toString(16)}`);
}

/** Functions and objects, as the kernel's table of symbols and its tracing see them. */
function symbolsOf(module: ElfObject): string[] {
  return module.symbols.flatMap((symbol) => {
    const home = homeSection(symbol);
    if (home === undefined || OTHERWISE.test(home.name) || (symbol.type !== STT_FUNC && symbol.type !== STT_OBJECT)) return [];
    return `${symbol.name} in ${home.name}+0x${symbol.value.toString(16)}, ${symbol.size} bytes${symbol.bind === STB_LOCAL ? ", local" : ""}`;
  });
}

function compareLists(section: string, shipped: readonly string[], built: readonly string[]): ModuleDifference[] {
  const [theirs, ours] = [new Set(shipped), new Set(built)];
  return [
    ...[...theirs].filter((entry) => !ours.has(entry)).map((entry) => `${entry} is in the shipped one only`),
    ...[...ours].filter((entry) => !theirs.has(entry)).map((entry) => `${entry} is in the built one only`),
  ].map((what) => ({ section, symbol: undefined, what }));
}

function compareSections(shipped: ElfObject, built: ElfObject): ModuleDifference[] {
  const [theirs, ours] = [sectionsOf(shipped), sectionsOf(built)];
  const differences: ModuleDifference[] = [];
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [before, after] = [theirs.get(name), ours.get(name)];
    if (before === undefined || after === undefined)
      differences.push({ section: name, symbol: undefined, what: `only the ${before === undefined ? "built" : "shipped"} one has it` });
    else differences.push(...compareSection(shipped, before, after));
  }
  return differences;
}

/** By name; where several have one, with a number. */
function sectionsOf(module: ElfObject): Map<string, ElfSection> {
  const found = new Map<string, ElfSection>();
  for (const section of module.sections) {
    if ((section.flags & SHF_ALLOC) === 0 || OTHERWISE.test(section.name)) continue;
    // The linker leaves sections that nothing is in, as a script or an option has it.
    if (section.size === 0) continue;
    let name = section.name;
    for (let number = 2; found.has(name); number++) name = `${section.name} (${number})`;
    found.set(name, section);
  }
  return found;
}

function compareSection(module: ElfObject, shipped: ElfSection, built: ElfSection): ModuleDifference[] {
  const at = (offset: number, what: string): ModuleDifference[] => [
    { section: shipped.name, symbol: symbolAt(module, shipped, offset), what: `${what} at +0x${offset.toString(16)}` },
  ];
  if (shipped.type !== built.type || shipped.flags !== built.flags || shipped.align !== built.align)
    return [{ section: shipped.name, symbol: undefined, what: "another type, other flags or another alignment" }];
  if (shipped.type !== SHT_NOBITS) {
    const length = Math.min(shipped.data.length, built.data.length);
    for (let offset = 0; offset < length; offset++) if (shipped.data[offset] !== built.data[offset]) return at(offset, "another byte");
  }
  if (shipped.size !== built.size)
    return at(
      Math.min(shipped.size, built.size),
      `${shipped.size} bytes in the shipped one, ${built.size} in the built one: the first difference`,
    );
  const [theirs, ours] = [shipped.relocations, built.relocations];
  for (let index = 0; index < Math.max(theirs.length, ours.length); index++) {
    const [before, after] = [theirs[index], ours[index]];
    if (before !== undefined && after !== undefined && spellRelocation(before) === spellRelocation(after)) continue;
    const [where] = [before, after].flatMap((entry) => entry?.offset ?? []).sort((a, b) => a - b);
    const words = [before, after].map((entry) => (entry === undefined ? "nothing" : spellRelocation(entry)));
    return at(where ?? 0, `${words.join(" in the shipped one, ")} in the built one,`);
  }
  return [];
}

/** What a relocation does, whatever symbol it says it by: a place in a section, or a name that somebody else has. */
function spellRelocation({ offset, type, symbol, addend }: ElfRelocation): string {
  return `${type.name} at +0x${offset.toString(16)} to ${spellTarget(symbol, addend)}`;
}

function spellTarget(symbol: ElfSymbol, addend: number): string {
  const home = homeSection(symbol);
  if (home !== undefined) return `${home.name}+${String(symbol.value + addend)}`;
  const address = symbol.home instanceof AbsoluteAddress ? `0x${symbol.home.addr.toString(16)}` : symbol.name;
  return `${address}+${String(addend)}`;
}

function symbolAt(module: ElfObject, section: ElfSection, offset: number): string | undefined {
  const named = module.symbols.filter(
    (symbol) =>
      homeSection(symbol) === section &&
      symbol.type !== STT_SECTION &&
      symbol.type !== STT_FILE &&
      symbol.value <= offset &&
      offset < symbol.value + Math.max(symbol.size, 1),
  );
  return named[0]?.name;
}
