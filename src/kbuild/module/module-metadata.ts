import { SHF_ALLOC, SHT_PROGBITS } from "../../elf/constants.js";
import { encodeVersions, MODULE_NAME_LEN, parseVersions, VERSIONS_SECTION } from "../../elf/module-versions.js";
import { homeSection, UNDEFINED, type ElfObject, type ElfSection } from "../../elf/model.js";
import type { ExportedSymbol } from "./module-symvers.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function findSection(module: ElfObject, name: string): ElfSection | undefined {
  return module.sections.find((section) => section.name === name);
}

/** @throws Error if the module lacks it: every module that kbuild makes has it */
function requireSection(module: ElfObject, name: string): ElfSection {
  const section = findSection(module, name);
  if (section === undefined) throw new Error(`${module.fileName} has no section ${name}`);
  return section;
}

function replaceContent(section: ElfSection, data: Uint8Array): void {
  section.data = data;
  section.size = data.length;
}

/** The `tag=value` entries of `.modinfo`, in order. */
export function readModinfo(module: ElfObject): [tag: string, value: string][] {
  return decoder
    .decode(requireSection(module, ".modinfo").data)
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const at = entry.indexOf("=");
      return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
    });
}

/** Rewrites `.modinfo`. */
export function writeModinfo(module: ElfObject, entries: readonly (readonly [tag: string, value: string])[]): void {
  const section = requireSection(module, ".modinfo");
  dropSymbolsOf(module, section);
  replaceContent(section, encoder.encode(entries.map(([tag, value]) => `${tag}=${value}\0`).join("")));
}

/**
 * Rewrites `__versions`, sorted by name. A kernel without CONFIG_MODVERSIONS makes modules without such a section, and passes one over (find_sec() of it in
 * setup_load_info(), kernel/module/main.c, Linux 6.1 and 7.3): ours have it all the same, for it is where the prelinker sees what it has to leave to the kernel's loader.
 */
export function writeVersions(module: ElfObject, versions: ReadonlyMap<string, number>): void {
  let section = findSection(module, VERSIONS_SECTION);
  if (section === undefined) {
    if (versions.size === 0) return;
    section = {
      name: VERSIONS_SECTION,
      type: SHT_PROGBITS,
      flags: SHF_ALLOC,
      align: 8,
      entsize: 0,
      data: new Uint8Array(),
      size: 0,
      relocations: [],
    };
    module.sections.push(section);
  }
  dropSymbolsOf(module, section);
  replaceContent(section, encodeVersions(versions));
}

/** What lies in these sections is found by its own format; their symbols name nothing that anybody looks up. */
function dropSymbolsOf(module: ElfObject, section: ElfSection): void {
  module.symbols = module.symbols.filter((symbol) => homeSection(symbol) !== section);
}

/**
 * Gives a module another name: in its `struct module`, where the name's place is found by the old name, and in `.modinfo`.
 * The new name must fit {@link MODULE_NAME_LEN}.
 */
export function renameModule(module: ElfObject, name: string): void {
  const entries = readModinfo(module);
  const oldName = entries.find(([tag]) => tag === "name")?.[1];
  if (oldName === undefined) throw new Error(`${module.fileName} does not say its name`);
  const section = requireSection(module, ".gnu.linkonce.this_module");
  const data = Uint8Array.from(section.data);
  const at = Buffer.from(data.buffer).indexOf(`${oldName}\0`, 0, "latin1");
  if (at < 0) throw new Error(`${module.fileName}: struct module does not hold the name ${oldName}`);
  data.fill(0, at, at + MODULE_NAME_LEN);
  data.set(encoder.encode(name), at);
  replaceContent(section, data);
  writeModinfo(
    module,
    entries.map(([tag, value]) => [tag, tag === "name" ? name : value] as const),
  );
}

/** A namespace that no module can import: those that it names have it (EXPORT_SYMBOL_FOR_MODULES, setup_modinfo() in kernel/module/main.c, Linux 7.3). */
export function isForNamedModules({ namespace }: { readonly namespace: string }): boolean {
  return namespace.startsWith("module:");
}

/**
 * Tells the kernel's loader what the module uses of others, as modpost does: a CRC for every exported symbol, the symbol namespaces,
 * and the modules to load before; of what is offered beside the kernel the namespaces only. What the module knew before stays (the core's own exports, for one).
 */
export function declareImports(
  module: ElfObject,
  exported: ReadonlyMap<string, ExportedSymbol>,
  offered: readonly { readonly name: string; readonly namespace: string }[] = [],
): void {
  const wanted = module.symbols.filter((symbol) => symbol.home === UNDEFINED);
  const used = wanted
    .map((symbol) => exported.get(symbol.name))
    // A longer name has no room in the table, and what is for named modules the loader gives to no other: the prelinker gives such a symbol its address.
    .filter((symbol) => symbol !== undefined && symbol.name.length < MODULE_NAME_LEN && !isForNamedModules(symbol)) as ExportedSymbol[];
  const versions = parseVersions(module);
  for (const symbol of used) versions.set(symbol.name, symbol.crc);
  writeVersions(module, versions);

  const entries = readModinfo(module);
  const known = (entries.find(([tag]) => tag === "depends")?.[1] ?? "").split(",").filter((name) => name !== "");
  const owners = used.map((symbol) => symbol.owner).filter((owner) => owner !== "vmlinux");
  const depends = [...known, ...[...new Set(owners)].filter((owner) => !known.includes(owner)).sort()].join(",");
  const imported = new Set(entries.filter(([tag]) => tag === "import_ns").map(([, value]) => value));
  const taken = offered.filter(({ name }) => wanted.some((symbol) => symbol.name === name));
  const namespaces = [...new Set([...used, ...taken].map((symbol) => symbol.namespace))]
    .filter((name) => name !== "" && !imported.has(name))
    .sort();
  writeModinfo(module, [
    ...entries.filter(([tag]) => tag !== "depends"),
    ["depends", depends] as const,
    ...namespaces.map((name) => ["import_ns", name] as const),
  ]);
}
