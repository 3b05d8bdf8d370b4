import type { LiveKernel } from "../../kernel/live/live-kernel.js";

/** Sections of a module that hold addresses of its functions for tools of the kernel, none of which calls by them. */
const DESCRIPTIONS = /^(?:__mcount_loc|__patchable_function_entries|_kprobe_blacklist|_error_injection_whitelist)$/;
/** Sections that are gone once the module runs; the loader's copies of its symbols are listed with them (add_sect_attrs in kernel/module/sysfs.c, Linux 6.1). */
const GONE = /^\.init|^\.symtab$|^\.strtab$/;

/** Sections that the compiler and the linker make for data; what has another name may hold code. */
const DATA = /^\.(?:rodata|data|bss|orc_unwind|orc_unwind_ip)(?:\.|$)/;

/** An entry of an ELF symbol table; fields are counted from the address that it holds (Elf64_Sym). Bytes. */
const ENTRY = { size: 24n, infoBefore: 4, otherBefore: 3, sectionBefore: 2, sizeBehind: 8 } as const;
const STT_FUNC = 2;

/**
 * True where a stored address says what a module's functions are, and does not serve for calling one: in the list of places for tracing and its like, and in the symbol table,
 * which the loader puts behind the module's data.
 * @param addr of the 8 bytes
 */
export function isDescription(addr: bigint, kernel: LiveKernel): boolean {
  const place = moduleSectionAt(addr, kernel);
  if (place === undefined) return false;
  const { section, nextAddr, moduleSize } = place;
  if (DESCRIPTIONS.test(section)) return true;
  // Between two areas of a module nothing is mapped.
  const isLast = nextAddr === undefined || kernel.read(addr, Number(nextAddr - addr)) === undefined;
  return (
    isLast &&
    isSymbol(addr, moduleSize, kernel) &&
    [addr - ENTRY.size, addr + ENTRY.size].some((other) => isSymbol(other, moduleSize, kernel))
  );
}

/** True where a module has a section that holds no code. */
export function isModuleData(addr: bigint, kernel: LiveKernel): boolean {
  const { section } = moduleSectionAt(addr, kernel) ?? { section: "" };
  return DATA.test(section) || DESCRIPTIONS.test(section);
}

interface ModulePlace {
  /** The last section that begins at the address or before it; empty if none does. */
  readonly section: string;
  /** Where the next one begins. */
  readonly nextAddr: bigint | undefined;
  /** Bytes. */
  readonly moduleSize: number;
}

function moduleSectionAt(addr: bigint, kernel: LiveKernel): ModulePlace | undefined {
  const module = kernel.modules.find(({ name }) => name === kernel.symbolAt(addr)?.module);
  if (module === undefined) return undefined;
  const sections = [...(kernel.moduleSections(module.name) ?? [])]
    .filter(([name]) => !GONE.test(name))
    .sort(([, a], [, b]) => (a < b ? -1 : 1));
  const [section] = sections.findLast(([, start]) => start <= addr) ?? [""];
  return { section, nextAddr: sections.find(([, start]) => start > addr)?.[1], moduleSize: module.size };
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
