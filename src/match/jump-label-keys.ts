import { homeSection, type ElfRelocation, type ElfSection } from "../elf/model.js";
import type { Place, PreObject } from "./pre-object.js";
import type { RunKernel } from "../run-kernel.js";

/** struct jump_entry: s32 code, s32 target, s64 key, each relative to itself (include/linux/jump_label.h, Linux 6.1). */
const ENTRY_SIZE = 16;
/** The key's two low bits are flags: branch taken, and init text. */
const KEY_FLAGS = 3n;
/** A module's table has no known end: an entry whose code is further away than this belongs to something else. Bytes. */
const MAX_MODULE_SPAN = 0x1000000;

/**
 * Addresses of static keys that no code refers to but the jump table does, read out of the running kernel's own table.
 * @param addrOfCode where an instruction of the pre object runs, if its function was matched
 * @param isWanted which places to look for
 */
export function findJumpLabelKeys(
  pre: PreObject,
  run: RunKernel,
  target: string,
  addrOfCode: (section: ElfSection, offset: number) => bigint | undefined,
  isWanted: (place: Place) => boolean,
): ReadonlyMap<Place, bigint> {
  const keys = new Map<Place, bigint>();
  let live: ((codeAddr: bigint) => bigint | undefined) | undefined;
  for (const { code, key } of preEntries(pre)) {
    const section = homeSection(code.symbol);
    const found = locateKey(pre, key);
    if (section === undefined || found === undefined || !isWanted(found.place) || keys.has(found.place)) continue;
    const codeAddr = addrOfCode(section, code.symbol.value + code.addend);
    if (codeAddr === undefined) continue;
    live ??= readJumpTable(run, target);
    const keyAddr = live(codeAddr);
    if (keyAddr !== undefined) keys.set(found.place, keyAddr - BigInt(found.delta));
  }
  return keys;
}

function* preEntries(pre: PreObject): Generator<{ code: ElfRelocation; key: ElfRelocation }> {
  const table = pre.object.sections.find(({ name }) => name === "__jump_table");
  if (table === undefined) return;
  const relocations = pre.relocationsOf(table);
  for (let at = 0; at + ENTRY_SIZE <= table.size; at += ENTRY_SIZE) {
    const code = relocations.get(at);
    const key = relocations.get(at + 8);
    if (code !== undefined && key !== undefined) yield { code, key };
  }
}

/** The place that holds a key, and where in it. */
function locateKey(pre: PreObject, { symbol, addend }: ElfRelocation): { place: Place; delta: number } | undefined {
  const offset = addend - (addend & Number(KEY_FLAGS));
  const section = homeSection(symbol);
  if (section === undefined) {
    const place = pre.placeOf(symbol);
    return place === undefined ? undefined : { place, delta: offset };
  }
  const place = pre.placeAt(section, symbol.value + offset);
  return place === undefined ? undefined : { place, delta: symbol.value + offset - place.offset };
}

/** @returns what gives the address of the key of a place in code, by the running jump table of the target */
export function readJumpTable(run: RunKernel, target: string): (codeAddr: bigint) => bigint | undefined {
  const [start, end] = findTable(run, target);
  const bytes = end === undefined ? readModuleTable(run, start) : run.read(start, Number(end - start));
  const table = new DataView(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset, bytes?.byteLength);
  // By distance from the table, in numbers: a kernel has tens of thousands of entries, of which few are asked for.
  const entries = new Map<number, number>();
  for (let at = 0; at + ENTRY_SIZE <= table.byteLength; at += ENTRY_SIZE) entries.set(at + table.getInt32(at, true), at);
  return (codeAddr) => {
    const at = entries.get(Number(codeAddr - start));
    if (at === undefined) return undefined;
    const key = BigInt.asUintN(64, start + BigInt(at) + 8n + table.getBigInt64(at + 8, true));
    return key - (key & KEY_FLAGS);
  };
}

/** Entries up to the first that can be none. */
function readModuleTable(run: RunKernel, start: bigint): Uint8Array {
  const entries: Uint8Array[] = [];
  for (let addr = start; start !== 0n; addr += BigInt(ENTRY_SIZE)) {
    const bytes = run.read(addr, ENTRY_SIZE);
    if (bytes === undefined) break;
    const offset = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_SIZE).getInt32(0, true);
    if (offset === 0 || Math.abs(offset) > MAX_MODULE_SPAN) break;
    entries.push(bytes);
  }
  return Buffer.concat(entries);
}

function findTable(run: RunKernel, target: string): [start: bigint, end: bigint | undefined] {
  if (target !== "vmlinux") return [run.moduleSections(target)?.get("__jump_table") ?? 0n, undefined];
  const [start] = run.symbolsNamed("__start___jump_table");
  const [end] = run.symbolsNamed("__stop___jump_table");
  return start === undefined || end === undefined ? [0n, 0n] : [start.addr, end.addr];
}
