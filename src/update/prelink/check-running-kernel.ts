import { unitKey } from "../../kbuild/types.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { isFreed } from "./find-symbol.js";
import { isGlobal } from "../../run-kernel.js";
import type { MatchedUpdate } from "../match/match-update.js";
import { nameTaken, stillReferred } from "./refusals.js";
import { findReferences } from "./find-references.js";

interface AddrRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Asks the running kernel what the update's source cannot know: that nobody outside the update refers to functions that are gone, or that are called in another
 * way now, and that no name is taken that the patch defines anew.
 * @throws Refusal `still-referred`, `name-taken`
 */
export function checkRunningKernel({ targets, matches }: Pick<MatchedUpdate, "targets" | "matches">, kernel: LiveKernel): void {
  const dead: AddrRange[] = [];
  const gone = new Map<bigint, { name: string; unit: string; why: "removed" | "changed" }>();
  for (const target of targets)
    for (const unit of target.units) {
      const match = matches.get(unitKey({ path: unit.path, target: target.name }));
      const rangeOf = (name: string): AddrRange | undefined => {
        const found = match?.functions.get(name);
        return found === undefined ? undefined : { start: found.addr, end: found.addr + BigInt(found.size) };
      };
      // Old code that goes on being run: what it calls must be there.
      const stays = new Set([
        ...unit.left.filter(({ mayBeCalled }) => mayBeCalled).map(({ preSymbol }) => preSymbol),
        ...unit.functions.filter(({ mayBeBusy }) => mayBeBusy).map(({ preSymbol }) => preSymbol),
      ]);
      for (const { preSymbol, preParts } of [...unit.functions, ...unit.left])
        for (const name of [preSymbol, ...preParts]) {
          const range = rangeOf(name);
          if (range !== undefined && !stays.has(preSymbol)) dead.push(range);
        }
      for (const name of unit.added) requireFree(name, target.name, unit.path, kernel);
      const ask = (name: string, why: "removed" | "changed"): void => {
        for (const addr of [match?.functions.get(name)?.addr, match?.symbols.get(name)])
          if (addr !== undefined) gone.set(addr, { name, unit: unit.path, why });
      };
      // A weak definition that had lost is not in the running kernel: its name means another unit's.
      const isElsewhere = (name: string): boolean =>
        match?.functions.has(name) !== true && match?.statistics.skipped.includes(name) === true;
      for (const { preSymbol, mayBeCalled } of unit.left) if (!mayBeCalled && !isElsewhere(preSymbol)) ask(preSymbol, "removed");
      for (const entry of unit.functions) if (entry.interface === "other") ask(entry.preSymbol, "changed");
    }

  const isDead = (addr: bigint): boolean =>
    dead.some(({ start, end }) => addr >= start && addr < end) || isReplacedBefore(addr, kernel) || isTrampoline(addr, kernel);
  for (const { targetAddr, addr } of findReferences([...gone.keys()], kernel)) {
    const entry = gone.get(targetAddr);
    if (entry === undefined || isDead(addr)) continue;
    throw stillReferred(entry.name, entry.unit, entry.why, nameOf(addr, kernel));
  }
}

/** True for old code of a function that an earlier update has replaced. */
function isReplacedBefore(addr: bigint, kernel: LiveKernel): boolean {
  const symbol = kernel.symbolAt(addr);
  return symbol !== undefined && kernel.newestCode(symbol.addr) !== symbol.addr;
}

/** True for an earlier update's tables, which say what it replaces, and for the core's. */
function isTrampoline(addr: bigint, kernel: LiveKernel): boolean {
  const symbol = kernel.symbolAt(addr);
  const module = symbol?.module;
  return module !== undefined && (module === "ksplice" || (module.startsWith("ksplice_") && !/[tw]/i.test(symbol?.type ?? "")));
}

function requireFree(name: string, target: string, unit: string, kernel: LiveKernel): void {
  const taken = kernel
    .symbolsNamed(name)
    .filter((symbol) => (symbol.module ?? "vmlinux") === target && isGlobal(symbol) && !isFreed(symbol.addr, kernel));
  if (taken.length > 0) throw nameTaken(name, target, unit);
}

function nameOf(addr: bigint, kernel: LiveKernel): string {
  const symbol = kernel.symbolAt(addr);
  if (symbol === undefined) return `0x${addr.toString(16)}`;
  const delta = addr - symbol.addr;
  return `${symbol.name}${delta === 0n ? "" : `+0x${delta.toString(16)}`}${symbol.module === undefined ? "" : ` of module ${symbol.module}`}`;
}
