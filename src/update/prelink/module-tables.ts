import type { LiveKernel } from "../../kernel/live/live-kernel.js";

/** Sections of a module that hold addresses of its functions for tools of the kernel, none of which calls by them. */
const DESCRIPTIONS = /^(?:__mcount_loc|__patchable_function_entries|_kprobe_blacklist|_error_injection_whitelist)$/;
/** Sections that are gone once the module runs; the loader's copies of its symbols are listed with them (add_sect_attrs in kernel/module/sysfs.c, Linux 6.1). */
const GONE = /^\.init|^\.symtab$|^\.strtab$/;

/** An entry of an ELF symbol table; fields are counted from the address that it holds (Elf64_Sym). Bytes. */
const ENTRY = { size: 24n, infoBefore: 4, otherBefore: 3, sectionBefore: 2, sizeBehind: 8 } as const;
const STT_FUNC = 2;

/**
 * True where a stored address says what a module's functions are, and does not serve for calling one: in the list of places for tracing and its like, and in the symbol table,
 * which the loader puts behind the module's data.
 * @param addr of the 8 bytes
 */
export function isDescription(addr: bigint, kernel: LiveKernel): boolean {
  const module = kernel.modules.find(({ name }) => name === kernel.symbolAt(addr)?.module);
  if (module === undefined) return false;
  const sections = [...(kernel.moduleSections(module.name) ?? [])]
    .filter(([name]) => !GONE.test(name))
    .sort(([, a], [, b]) => (a < b ? -1 : 1));
  const next = sections.find(([, start]) => start > addr)?.[1];
  const [section] = sections.findLast(([, start]) => start <= addr) ?? [""];
  if (DESCRIPTIONS.test(section)) return true;
  // Between two areas of a module nothing is mapped.
  const isLast = next === undefined || kernel.read(addr, Number(next - addr)) === undefined;
  return (
    isLast &&
    isSymbol(addr, module.size, kernel) &&
    [addr - ENTRY.size, addr + ENTRY.size].some((other) => isSymbol(other, module.size, kernel))
  );
}

function isSymbol(addr: bigint, moduleSize: number, kernel: LiveKernel): boolean {
  const bytes = kernel.read(addr - 8n, Number(ENTRY.size));
  if (bytes === undefined) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (before: number): number => 8 - before;
  const [type, binding] = [view.getUint8(field(ENTRY.infoBefore)) & 0xf, view.getUint8(field(ENTRY.infoBefore)) >> 4];
  const isPlaced = view.getUint16(field(ENTRY.sectionBefore), true) !== 0 && view.getUint8(field(ENTRY.otherBefore)) === 0;
  return type <= STT_FUNC && binding <= 2 && isPlaced && view.getBigUint64(8 + ENTRY.sizeBehind, true) < BigInt(moduleSize);
}
