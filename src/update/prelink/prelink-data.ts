import { ElfFormatError } from "../../elf/elf-format-error.js";
import { homeSection, type ElfSymbol } from "../../elf/model.js";
import type { RunKernel } from "../../run-kernel.js";
import type { ManifestUnit, ManifestWrite } from "../file/manifest.js";
import type { NewSymbols } from "../units/new-symbols.js";
import { MAX_WRITE_SIZE, type PartWrite } from "../../engine/core/part-section.js";
import type { MatchedUnit } from "../match/unit-matches.js";
import { unresolvedSymbol } from "./refusals.js";

/**
 * A unit's data writes with their addresses and the bytes that stand there now, which matching has verified. Large ones become several.
 * @throws Refusal `unresolved-symbol` where the object's memory cannot be read
 */
export function partWrites(unit: ManifestUnit, match: MatchedUnit, symbols: NewSymbols, run: RunKernel): PartWrite[] {
  return unit.writes.flatMap((entry) => {
    const object = match.symbols.get(entry.preSymbol);
    if (object === undefined) throw unresolvedSymbol(entry.preSymbol, unit.path, "matching did not find it in the running kernel");
    const newSymbol = symbols.find(entry.newSymbol);
    checkNewBytes(entry, newSymbol);
    const addr = object + BigInt(entry.offset);
    const oldBytes = run.read(addr, entry.size);
    if (oldBytes === undefined) throw unresolvedSymbol(entry.preSymbol, unit.path, "its contents in the running kernel cannot be read");
    return chunks(entry.size).map(({ from, to }) => ({
      name: entry.name,
      addr: addr + BigInt(from),
      newBytes: { symbol: newSymbol, offset: entry.newOffset + from },
      oldBytes: oldBytes.subarray(from, to),
    }));
  });
}

/** The new bytes are copied to another place: a field that counts from its own would be wrong there. */
function checkNewBytes({ name, size, newOffset }: ManifestWrite, symbol: ElfSymbol): void {
  const section = homeSection(symbol);
  const start = symbol.value + newOffset;
  if (section === undefined || start + size > section.size) throw new ElfFormatError(name, `its new bytes are not in the update`);
  const wrong = section.relocations.find(({ offset, type }) => offset >= start && offset < start + size && type.pcRelative);
  if (wrong !== undefined)
    throw new ElfFormatError(name, `its new bytes have a field relative to their own place, at offset ${wrong.offset - start}`);
}

function chunks(size: number): { from: number; to: number }[] {
  return Array.from({ length: Math.ceil(size / MAX_WRITE_SIZE) }, (_, index) => ({
    from: index * MAX_WRITE_SIZE,
    to: Math.min(size, (index + 1) * MAX_WRITE_SIZE),
  }));
}
