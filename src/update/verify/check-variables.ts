import type { Place, PreObject } from "../../match/pre-object.js";
import type { AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import { addrOf, variablesOf, type PatchedUnit } from "./patched-unit.js";

/** State is neither shared by accident nor split: each variable of a unit has memory of its own, and one that was there before stays where it was. */
export function checkVariables(unit: PatchedUnit, kernel: AppliedKernel): Finding[] {
  const located = variablesOf(unit.post).flatMap((place) => {
    const addr = addrOf(unit, place);
    return addr === undefined ? [] : [{ place, addr }];
  });
  return [...findShared(unit, located), ...located.flatMap((entry) => findSecondCopy(unit, entry, kernel) ?? [])];
}

interface Located {
  readonly place: Place;
  readonly addr: bigint;
}

function findShared(unit: PatchedUnit, located: readonly Located[]): Finding[] {
  const sorted = [...located].sort((a, b) => (a.addr < b.addr ? -1 : 1));
  return sorted.flatMap(({ place, addr }, index) => {
    const before = sorted[index - 1];
    if (before === undefined || addr >= before.addr + BigInt(before.place.size)) return [];
    // What one object lays over another stays so.
    if (before.place.section === place.section && place.offset < before.place.offset + before.place.size) return [];
    return [
      {
        unit: unit.path,
        symbol: place.name,
        kind: "shared-address" as const,
        message: `${place.name} and ${before.place.name} are two variables, and share memory at 0x${addr.toString(16)}`,
      },
    ];
  });
}

function findSecondCopy(unit: PatchedUnit, { place, addr }: Located, kernel: AppliedKernel): Finding | undefined {
  if (!kernel.isNew(addr) || findTwin(unit, place) === undefined) return undefined;
  return {
    unit: unit.path,
    symbol: place.name,
    kind: "second-copy",
    message: `${place.name} is in new code at ${kernel.nameOf(addr)}, though the unpatched source has it too: its state began anew`,
  };
}

const NUMBERED = /\.\d+$/;
/** State of a statement, not of the program: a message that is printed once, a rate limit, a lock's class. */
const OF_A_STATEMENT = /^(__|___|descriptor\.|_rs\.|_entry)/;

/**
 * The variable of the unpatched source that this one is: the one of its name; of static locals, whose numbers change, the only one of its name that
 * one of its functions uses. So is a static local that became the file's.
 */
function findTwin({ pre, post }: PatchedUnit, place: Place): Place | undefined {
  const same = NUMBERED.test(place.name) ? undefined : variablesOf(pre).find(({ name }) => name === place.name);
  if (same !== undefined || OF_A_STATEMENT.test(place.name)) return same;
  const users = usersOf(post, place);
  const base = place.name.replace(NUMBERED, "");
  const isTwin = (object: PreObject) => (other: Place) =>
    other.name.replace(NUMBERED, "") === base && [...usersOf(object, other)].some((user) => users.has(user));
  const before = variablesOf(pre).filter(isTwin(pre));
  return before.length === 1 && variablesOf(post).filter(isTwin(post)).length === 1 ? before[0] : undefined;
}

/** Names of the functions that refer to an object, without what compilers add for clones and pieces. */
function usersOf(object: PreObject, wanted: Place): ReadonlySet<string> {
  const users = new Set<string>();
  for (const { section, offset, size, name } of object.functions) {
    const refers = section?.relocations.some(({ symbol, addend, offset: at }) => {
      if (at < offset || at >= offset + size) return false;
      if (object.placeOf(symbol) === wanted) return true;
      // Behind the field there may be more of the instruction, so the addend may lead a few bytes before the object.
      const home = typeof symbol.home === "object" && "relocations" in symbol.home ? symbol.home : undefined;
      return home !== undefined && home === wanted.section && object.placeAt(home, Math.max(0, symbol.value + addend + 4)) === wanted;
    });
    if (refers === true) users.add(name.split(".")[0] ?? name);
  }
  return users;
}
