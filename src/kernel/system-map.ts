import type { RunSymbol } from "../run-kernel.js";
import { parseKallsyms, type SymbolTable } from "./kallsyms.js";

/** A variable that every kernel has (init/init_task.c, Linux 6.1): where it is missing, the table has no variables at all. */
const A_VARIABLE = "init_task";
/** What a table of a whole kernel has; nothing else is said to lack anything. */
const ITS_TEXT = "_stext";

/** Whether a kernel's own table has its functions only, as without CONFIG_KALLSYMS_ALL (symbol_valid in scripts/kallsyms.c, Linux 6.1). */
export function lacksVariables(symbols: SymbolTable): boolean {
  return inKernel(symbols, ITS_TEXT) !== undefined && inKernel(symbols, A_VARIABLE) === undefined;
}

/** A kernel's own table, with what its System.map has besides. */
export interface CompletedSymbols {
  readonly text: Uint8Array;
  readonly symbols: SymbolTable;
}

/**
 * Adds to a kernel's own table what System.map says of its variables, moved as far as the kernel was at boot (KASLR). Every function that both have must be at that
 * distance: so a map of another build is not taken.
 * @param kernelMapAddr addresses below are no places in memory: those of variables that each processor has
 * @returns why the map is not this kernel's, where it is not
 */
export function completeSymbols(text: Uint8Array, map: Uint8Array, kernelMapAddr: bigint): CompletedSymbols | string {
  const own = parseKallsyms(text);
  const theirs = parseKallsyms(map);
  const [start, mapped] = [inKernel(own, ITS_TEXT), inKernel(theirs, ITS_TEXT)];
  if (mapped === undefined) return `it has no ${ITS_TEXT}: it is no System.map, or the stub that a distribution has in its place`;
  if (start === undefined) return `the running kernel's own table has no ${ITS_TEXT}`;
  const distance = start.addr - mapped.addr;
  const other = findOther(own, theirs, distance);
  if (other !== undefined) return other;
  const added: string[] = [];
  for (const symbol of theirs) {
    const isPlace = symbol.addr >= kernelMapAddr;
    const addr = BigInt.asUintN(64, isPlace ? symbol.addr + distance : symbol.addr);
    if (own.named(symbol.name).some((known) => known.module === undefined && known.addr === addr)) continue;
    // As the kernel's own table would say it.
    added.push(`${addr.toString(16).padStart(16, "0")} ${isPlace ? symbol.type : "A"} ${symbol.name}\n`);
  }
  const whole = Buffer.concat([text, ...(text.at(-1) === NEWLINE ? [] : [Uint8Array.of(NEWLINE)]), Buffer.from(added.join(""), "latin1")]);
  return { text: whole, symbols: parseKallsyms(whole) };
}

const NEWLINE = 10;

function findOther(own: SymbolTable, theirs: SymbolTable, distance: bigint): string | undefined {
  let agreeing = 0;
  for (const { name, addr, type, module } of own) {
    if (module !== undefined || !/[tw]/i.test(type)) continue;
    const named = theirs.named(name);
    if (named.length === 0) continue;
    if (!named.some((symbol) => symbol.addr + distance === addr))
      return `it has ${name} at another place: it is of another kernel, or of another build of this one`;
    agreeing++;
  }
  return agreeing === 0 ? "it has none of the running kernel's functions" : undefined;
}

function inKernel(symbols: SymbolTable, name: string): RunSymbol | undefined {
  return symbols.named(name).find(({ module }) => module === undefined);
}
