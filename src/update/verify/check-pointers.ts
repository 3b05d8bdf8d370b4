import { isPointer } from "../../arch/machine/elf-machine.js";
import { SHF_MERGE, SHF_STRINGS } from "../../elf/constants.js";
import { homeSection, type ElfRelocation } from "../../elf/model.js";
import { kindOfSection, type Place, type PreObject } from "../../match/pre-object.js";
import { onlyAddr, type AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import { addrOf, constantsOf, variablesOf, type PatchedUnit } from "./patched-unit.js";

const POINTER_SIZE = 8;
const NUMBER = /\.\d+$/;

/**
 * Pointers in data that stays. What they point to may be set while the kernel runs, so only those are compared that the patch concerns: the ones
 * that it makes point elsewhere, and the ones to objects that exist anew.
 */
export function checkPointers(unit: PatchedUnit, kernel: AppliedKernel): Finding[] {
  const variables = new Map(variablesOf(unit.pre).map((place) => [place.name, place]));
  const pointers = variablesOf(unit.post).flatMap((place) => {
    const twin = variables.get(place.name);
    const addr = addrOf(unit, place) ?? onlyAddr(kernel.ownSymbols(place.name, unit.target));
    // A number may be another variable's in the running kernel.
    if (twin === undefined || addr === undefined || NUMBER.test(place.name)) return [];
    return fieldsOf(place).flatMap((field) => checkPointer(unit, place, twin, field, addr, kernel) ?? []);
  });
  return [...pointers, ...findHandedOut(unit, kernel)];
}

/** One pointer of an object's initial value. */
interface Field {
  /** Bytes from the object's start. */
  readonly offset: number;
  readonly relocation: ElfRelocation;
}

function fieldsOf({ section, offset, size }: Place): Field[] {
  return (section?.relocations ?? [])
    .filter((relocation) => isPointer(relocation.type) && relocation.offset >= offset && relocation.offset + POINTER_SIZE <= offset + size)
    .map((relocation) => ({ offset: relocation.offset - offset, relocation }));
}

function checkPointer(
  unit: PatchedUnit,
  place: Place,
  twin: Place,
  { offset, relocation }: Field,
  addr: bigint,
  kernel: AppliedKernel,
): Finding | undefined {
  const meant = targetOf(unit.post, relocation);
  const targetAddr = meant?.place === undefined ? undefined : addrOf(unit, meant.place);
  if (meant === undefined || targetAddr === undefined) return undefined;
  const before = fieldsOf(twin).find((field) => field.offset === offset);
  const was = before === undefined ? undefined : targetOf(unit.pre, before.relocation);
  const isElsewhere = was?.name !== meant.name || was.delta !== meant.delta;
  const bytes = kernel.read(addr + BigInt(offset), POINTER_SIZE);
  if (bytes === undefined) return undefined;
  const actual = new DataView(bytes.buffer, bytes.byteOffset, POINTER_SIZE).getBigUint64(0, true);
  const pointsTo = BigInt.asUintN(64, actual - BigInt(meant.delta));
  if (kernel.isSame(pointsTo, targetAddr)) return undefined;
  // The kernel may have set it to something else since it started; but not to what the object was before.
  const isStale = kernel.isNew(targetAddr) && !kernel.isNew(pointsTo) && kernel.isNamed(pointsTo, meant.name, NUMBER);
  if (!isElsewhere && !isStale) return undefined;
  return {
    unit: unit.path,
    symbol: place.name,
    kind: "stale-pointer",
    message: `${place.name}+0x${offset.toString(16)} should point to ${meant.name} at ${kernel.nameOf(targetAddr)}, and points to ${kernel.nameOf(actual)}`,
  };
}

interface PointerTarget {
  /** What the compiler numbers is taken away. */
  readonly name: string;
  readonly place: Place | undefined;
  /** Bytes from the start of the place. */
  readonly delta: number;
}

function targetOf(object: PreObject, { symbol, addend }: ElfRelocation): PointerTarget | undefined {
  const section = homeSection(symbol);
  if (section !== undefined && (section.flags & SHF_MERGE) !== 0 && (section.flags & SHF_STRINGS) !== 0) return undefined;
  const at = symbol.value + addend;
  const place = section === undefined ? object.placeOf(symbol) : object.placeAt(section, at);
  if (place === undefined) return undefined;
  return { name: place.name.replace(NUMBER, ""), place, delta: section === undefined ? addend : at - place.offset };
}

/** Constants that exist anew, while initialization code has handed out the old ones to whoever keeps them. */
function findHandedOut(unit: PatchedUnit, kernel: AppliedKernel): Finding[] {
  const initCode = unit.post.discarded.flatMap(({ section }) => section?.relocations ?? []);
  const handedOut = new Set(
    initCode.flatMap(({ symbol, addend }) => {
      const section = homeSection(symbol);
      if (section === undefined || kindOfSection(section) !== "rodata") return [];
      return unit.post.placeOf(symbol) ?? unit.post.placeAt(section, Math.max(0, symbol.value + addend)) ?? [];
    }),
  );
  const before = new Set(constantsOf(unit.pre).map(({ name }) => name));
  return constantsOf(unit.post).flatMap((place): Finding[] => {
    const addr = addrOf(unit, place);
    if (addr === undefined || !handedOut.has(place) || !before.has(place.name) || !kernel.isNew(addr)) return [];
    const message = `${place.name} exists anew at ${kernel.nameOf(addr)}, and initialization code has handed out the old one before the update came`;
    return [{ unit: unit.path, symbol: place.name, kind: "stale-pointer", message }];
  });
}
