import type { RedirectedFunction } from "../../engine/core/ksplice-sysfs.js";
import { isSplitPart } from "../../match/candidates.js";
import type { ManifestFunction, ManifestTarget } from "../file/manifest.js";
import type { AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import type { PatchedUnit } from "./patched-unit.js";

/** Numbers that the compiler gives clones. */
const NUMBER = /\.\d+/g;

/** Whoever calls a function of the patched source by the address that it had gets to its newest code. */
export function checkReached(unit: PatchedUnit, kernel: AppliedKernel, redirections: readonly RedirectedFunction[]): Finding[] {
  const before = new Set(unit.pre.functions.flatMap(({ symbols }) => symbols.map(({ name }) => name)));
  const newest = new Set(redirections.map(({ newAddr }) => kernel.canonical(newAddr)));
  return unit.post.functions.flatMap((place): Finding[] => {
    const addr = unit.match.functions.get(place.name)?.addr;
    if (addr === undefined || isSplitPart(place) || !kernel.isBrought(addr) || !before.has(place.name)) return [];
    // A clone's number may be another one in the running kernel.
    const old = place.name.replace(NUMBER, "") === place.name ? kernel.ownSymbols(place.name, unit.target) : [];
    const isReached = old.length === 0 ? newest.has(addr) : old.some((symbol) => kernel.canonical(symbol.addr) === addr);
    if (isReached) return [];
    const where = old.length === 0 ? "nothing" : `${place.name} at ${old.map((symbol) => kernel.nameOf(symbol.addr)).join(", ")}`;
    const message = `its patched code is at ${kernel.nameOf(addr)}, and ${where} ${old.length === 0 ? "leads" : "does not lead"} there`;
    return [{ unit: unit.path, symbol: place.name, kind: "not-redirected", message }];
  });
}

/** What the core does is what the manifest says, and each redirection leads to the function of the patched source that it names. */
export function checkRedirections(
  target: ManifestTarget,
  redirections: readonly RedirectedFunction[],
  units: ReadonlyMap<string, PatchedUnit>,
  kernel: AppliedKernel,
): Finding[] {
  const left = new Set(redirections.filter((entry) => entry.target === target.name));
  const findings: Finding[] = [];
  for (const unit of target.units) {
    for (const entry of unit.functions) {
      const candidates = [...left].filter(({ name }) => name === entry.name);
      // Several units of a target may each have a static function of that name.
      const found = candidates.find((candidate) => judge(entry, candidate, target, units, kernel) === undefined) ?? candidates[0];
      if (found === undefined) {
        const message = "the update replaces it, and the core does not list it";
        findings.push({ unit: unit.path, symbol: entry.name, kind: "not-redirected", message });
        continue;
      }
      left.delete(found);
      const message = judge(entry, found, target, units, kernel);
      if (message !== undefined) findings.push({ unit: unit.path, symbol: entry.name, kind: "stray-redirection", message });
    }
  }
  const unnamed = [...left].map(({ name, oldAddr, newAddr }): Finding => {
    const message = `the core redirects ${kernel.nameOf(oldAddr)} to ${kernel.nameOf(newAddr)}, and the update does not name it`;
    return { unit: target.name, symbol: name, kind: "stray-redirection", message };
  });
  return [...findings, ...unnamed];
}

/** Why a redirection is not what the manifest's entry says; undefined if it is. */
function judge(
  { preSymbol, newSymbol }: ManifestFunction,
  { oldAddr, newAddr }: RedirectedFunction,
  target: ManifestTarget,
  units: ReadonlyMap<string, PatchedUnit>,
  kernel: AppliedKernel,
): string | undefined {
  if (!kernel.isNamed(oldAddr, preSymbol, NUMBER)) return `${kernel.nameOf(oldAddr)} is redirected for ${preSymbol} of ${target.name}`;
  const newest = kernel.canonical(newAddr);
  const { unit, name } = meaningOf(newSymbol);
  const patched = unit === undefined ? undefined : units.get(unit);
  const expected = patched?.match.functions.get(name)?.addr;
  if (expected !== undefined)
    return kernel.isSame(expected, newest)
      ? undefined
      : `it leads to ${kernel.nameOf(newest)}, and ${name} of the patched source is at ${kernel.nameOf(expected)}`;
  // Where the unit itself does not match there is a finding already.
  if (unit !== undefined && patched === undefined) return undefined;
  const isPatched = [...units.values()].some(({ match }) => [...match.functions.values()].some(({ addr }) => addr === newest));
  return isPatched ? undefined : `it leads to ${kernel.nameOf(newest)}, which is no function of the patched source`;
}

/** `new:UNIT:NAME` says of which unit the new code is, which may be another one's: a function may move. */
function meaningOf(newSymbol: string): { unit: string | undefined; name: string } {
  const [, unit, name] = /^new:([^:]+):(.+)$/.exec(newSymbol) ?? [];
  return name === undefined ? { unit: undefined, name: newSymbol } : { unit, name };
}
