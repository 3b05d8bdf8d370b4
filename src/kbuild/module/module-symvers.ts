/** One exported symbol of the kernel or of a module. */
export interface ExportedSymbol {
  readonly crc: number;
  readonly name: string;
  /** `vmlinux`, or the module's name as the kernel spells it. */
  readonly owner: string;
  /** Symbol namespace; empty where the symbol is in none. */
  readonly namespace: string;
}

/**
 * Reads a `Module.symvers`: CRC, name, owner's path, kind of export and namespace, with tabs between.
 * Source of the format: scripts/mod/modpost.c (write_dump), Linux 6.1.
 */
export function parseModuleSymvers(text: string): ReadonlyMap<string, ExportedSymbol> {
  const symbols = new Map<string, ExportedSymbol>();
  for (const line of text.split("\n")) {
    const [crc, name, path, , namespace = ""] = line.split("\t");
    if (crc === undefined || name === undefined || path === undefined) continue;
    symbols.set(name, { crc: Number(crc), name, owner: moduleName(path), namespace });
  }
  return symbols;
}

function moduleName(path: string): string {
  return (path.split("/").at(-1) ?? path).replaceAll("-", "_");
}
