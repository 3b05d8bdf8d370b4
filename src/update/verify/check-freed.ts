import { homeSection, type ElfRelocation } from "../../elf/model.js";
import type { Place, PreObject } from "../../match/pre-object.js";
import type { AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import { addrOf, type PatchedUnit } from "./patched-unit.js";

/** New code refers to nothing that was freed after boot, unless the code that it replaces did so too: some code runs at boot only. */
export function checkFreed(unit: PatchedUnit, kernel: AppliedKernel): Finding[] {
  const before = new Map(unit.pre.functions.map((place) => [place.name, place]));
  return unit.post.functions.flatMap((place): Finding[] => {
    const addr = addrOf(unit, place);
    if (addr === undefined || !kernel.isNew(addr)) return [];
    const twin = before.get(place.name);
    const old = new Set(twin === undefined ? [] : usedBy(unit.pre, twin).map(({ name }) => name));
    return usedBy(unit.post, place).flatMap((used): Finding[] => {
      const usedAddr = addrOf(unit, used);
      if (usedAddr === undefined || !kernel.isFreed(usedAddr) || old.has(used.name)) return [];
      const message = `it uses ${used.name} at ${kernel.nameOf(usedAddr)}, whose memory was freed after boot`;
      return [{ unit: unit.path, symbol: place.name, kind: "freed-memory", message }];
    });
  });
}

/** What a function refers to, each once. */
function usedBy(object: PreObject, { section, offset, size }: Place): Place[] {
  const relocations = (section?.relocations ?? []).filter((relocation) => relocation.offset >= offset && relocation.offset < offset + size);
  return [...new Set(relocations.flatMap((relocation) => placeOf(object, relocation) ?? []))];
}

function placeOf(object: PreObject, { symbol, addend }: ElfRelocation): Place | undefined {
  const section = homeSection(symbol);
  return object.placeOf(symbol) ?? (section === undefined ? undefined : object.placeAt(section, Math.max(0, symbol.value + addend)));
}
