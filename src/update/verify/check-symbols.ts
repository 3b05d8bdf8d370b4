import { STB_LOCAL } from "../../elf/constants.js";
import { isDeviceTableAlias } from "../../elf/made-names.js";
import { AbsoluteAddress } from "../../elf/model.js";
import { onlyAddr, type AppliedKernel } from "./applied-kernel.js";
import type { Finding } from "./findings.js";
import { addrOf, definesGlobal, sharesName, type PatchedUnit } from "./patched-unit.js";

/** Where one unit has a symbol that it shares with others. */
interface Use {
  readonly unit: PatchedUnit;
  readonly name: string;
  readonly addr: bigint;
}

/**
 * One table of the symbols of all units: each name with external linkage has one address in all of them, and that is where the running
 * kernel has it, if it had it before the update. Replaced code and its replacement count as one address.
 * @returns what is wrong, and how many names were compared
 */
export function checkSymbols(units: readonly PatchedUnit[], kernel: AppliedKernel): { findings: Finding[]; names: number } {
  const table = new Map<string, { scope: string; uses: Use[] }>();
  for (const unit of units) {
    for (const use of sharedSymbols(unit)) {
      const scope = scopeOf(use, units, kernel);
      const key = `${scope}:${use.name}`;
      const entry = table.get(key);
      if (entry === undefined) table.set(key, { scope, uses: [use] });
      else entry.uses.push(use);
    }
  }
  const findings = [...table.values()].flatMap(({ scope, uses }) => [
    ...findSecondAddress(uses, kernel),
    ...findWrongAddress(scope, uses, units, kernel),
  ]);
  return { findings, names: table.size };
}

function sharedSymbols(unit: PatchedUnit): Use[] {
  const uses = new Map<string, Use>();
  for (const symbol of unit.post.object.symbols) {
    if (symbol.bind === STB_LOCAL || symbol.name === "" || symbol.home instanceof AbsoluteAddress) continue;
    if (isDeviceTableAlias(symbol.name)) continue;
    const place = unit.post.placeOf(symbol);
    const addr = place === undefined ? undefined : addrOf(unit, place);
    // A weak symbol that nobody defines is 0.
    if (addr !== undefined && addr !== 0n) uses.set(symbol.name, { unit, name: symbol.name, addr });
  }
  return [...uses.values()];
}

/**
 * Which namespace a name belongs to: `vmlinux`, or the module that defines it. What a unit does not find in its own module it finds in the
 * kernel's image, or in the module that has it.
 */
function scopeOf({ unit, name }: Use, units: readonly PatchedUnit[], kernel: AppliedKernel): string {
  const isOwn = units.some(({ target, post }) => target === unit.target && definesGlobal(post, name));
  if (isOwn || kernel.ownSymbols(name, unit.target).length > 0) return unit.target;
  if (kernel.globalAddr(name) !== undefined) return "vmlinux";
  return units.find(({ post }) => definesGlobal(post, name))?.target ?? "vmlinux";
}

function findSecondAddress(uses: readonly Use[], kernel: AppliedKernel): Finding[] {
  const [first] = uses;
  if (first === undefined) return [];
  return uses
    .filter(({ addr }) => !kernel.isSame(addr, first.addr))
    .map(({ unit, name, addr }) => ({
      unit: unit.path,
      symbol: name,
      kind: "two-addresses",
      message: `${name} is ${kernel.nameOf(addr)} here, and ${kernel.nameOf(first.addr)} in ${first.unit.path}`,
    }));
}

function findWrongAddress(scope: string, uses: readonly Use[], units: readonly PatchedUnit[], kernel: AppliedKernel): Finding[] {
  const [{ name } = { name: "" }] = uses;
  const expected = scope === "vmlinux" ? kernel.globalAddr(name) : moduleAddr(name, scope, units, kernel);
  if (expected === undefined) return [];
  return uses
    .filter(({ addr }) => !kernel.isSame(addr, expected))
    .map(({ unit, addr }) => ({
      unit: unit.path,
      symbol: name,
      kind: "wrong-address",
      message: `${name} is ${kernel.nameOf(addr)} here, and the running kernel has it at ${kernel.nameOf(expected)}, which does not lead there`,
    }));
}

/** The table does not tell which of a module's symbols are static: the name must have been shared before the patch. */
function moduleAddr(name: string, module: string, units: readonly PatchedUnit[], kernel: AppliedKernel): bigint | undefined {
  const wasShared = units.some(({ target, pre }) => target === module && sharesName(pre, name));
  return wasShared ? onlyAddr(kernel.ownSymbols(name, module)) : undefined;
}
