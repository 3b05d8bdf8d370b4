import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import type { RunSymbol } from "../../run-kernel.js";
import { isGlobal } from "../../run-kernel.js";

/** A kernel with updates applied, as run-post matching asks it. */
export class AppliedKernel {
  readonly #kernel: LiveKernel;
  readonly #newModules: ReadonlySet<string>;
  readonly #init: { readonly start: bigint; readonly end: bigint };

  /** @param newModules the modules that carry the new code of the update in question */
  constructor(kernel: LiveKernel, newModules: ReadonlySet<string>) {
    this.#kernel = kernel;
    this.#newModules = newModules;
    const at = (name: string): bigint => onlyAddr(kernel.symbolsNamed(name).filter(({ module }) => module === undefined)) ?? 0n;
    this.#init = { start: at("__init_begin"), end: at("__init_end") };
  }

  /** True for what the kernel's image had at boot only (include/asm-generic/vmlinux.lds.h and arch/x86/kernel/vmlinux.lds.S, Linux 6.1). */
  isFreed(addr: bigint): boolean {
    return addr >= this.#init.start && addr < this.#init.end;
  }

  /** The address that replaced code and its newest replacement have in common. */
  canonical(addr: bigint): bigint {
    return this.#kernel.newestCode(addr);
  }

  isSame(a: bigint, b: bigint): boolean {
    return this.canonical(a) === this.canonical(b);
  }

  /** True if the update in question brought what is at `addr`. */
  isNew(addr: bigint): boolean {
    const module = this.#kernel.symbolAt(addr)?.module;
    return module !== undefined && this.#newModules.has(module);
  }

  /** True if any update brought it. */
  isBrought(addr: bigint): boolean {
    return this.#kernel.symbolAt(addr)?.module?.startsWith("ksplice_") ?? false;
  }

  read(addr: bigint, size: number): Uint8Array | undefined {
    return this.#kernel.read(addr, size);
  }

  /** The target's own symbols of that name that are in memory: not those of updates. */
  ownSymbols(name: string, target: string): readonly RunSymbol[] {
    return this.#kernel.symbolsNamed(name).filter(({ module, addr }) => (module ?? "vmlinux") === target && !this.isFreed(addr));
  }

  /** The one address that a name with external linkage has in the kernel's image; undefined if it has none, or several. */
  globalAddr(name: string): bigint | undefined {
    return onlyAddr(this.ownSymbols(name, "vmlinux").filter(isGlobal));
  }

  /** True if a symbol of that name is at `addr`; what `ignored` matches in names does not count. */
  isNamed(addr: bigint, name: string, ignored: RegExp): boolean {
    if (this.#kernel.symbolsNamed(name).some((symbol) => symbol.addr === addr)) return true;
    const symbol = this.#kernel.symbolAt(addr);
    return symbol?.addr === addr && symbol.name.replace(ignored, "") === name.replace(ignored, "");
  }

  /** `NAME+0xOFFSET [MODULE]`, as far as that is known. */
  nameOf(addr: bigint): string {
    const symbol = this.#kernel.symbolAt(addr);
    const place = `0x${addr.toString(16)}`;
    if (symbol === undefined) return place;
    const delta = addr - symbol.addr;
    const module = symbol.module === undefined ? "" : ` [${symbol.module}]`;
    return `${place} (${symbol.name}${delta === 0n ? "" : `+0x${delta.toString(16)}`}${module})`;
  }
}

/** The address that all of them have; undefined where they have several, or there is none. */
export function onlyAddr(symbols: readonly RunSymbol[]): bigint | undefined {
  const addrs = new Set(symbols.map(({ addr }) => addr));
  const [addr] = addrs;
  return addrs.size === 1 ? addr : undefined;
}
