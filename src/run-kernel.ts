/** What matching needs to see of a running kernel. Implemented by src/kernel on live memory, and by tests on arrays. */

export interface RunSymbol {
  readonly name: string;
  readonly addr: bigint;
  /** nm's letter: t T d D r R b B … ; lower case is static. */
  readonly type: string;
  /** Module that owns it; undefined for vmlinux. */
  readonly module: string | undefined;
}

export interface RunKernel {
  /** Every symbol of that name, of vmlinux and of all modules. */
  symbolsNamed(name: string): readonly RunSymbol[];
  /** The symbol with the highest address that is not above `addr`; undefined below the first. */
  symbolAt(addr: bigint): RunSymbol | undefined;
  /** Every symbol with just that address: a variable of no size shares the address of another one. */
  symbolsStartingAt(addr: bigint): readonly RunSymbol[];
  /** `size` bytes of kernel memory; undefined where it cannot be read (unmapped, outside kcore). */
  read(addr: bigint, size: number): Uint8Array | undefined;
  /** The code that runs when the function at `addr` is called: follows the trampolines of applied updates; `addr` itself where there are none. */
  newestCode(addr: bigint): bigint;
  /** True if the code at `addr` came with an applied update in place of other code. */
  isReplacement(addr: bigint): boolean;
  /**
   * True if symbols of `module` (undefined: vmlinux) are the target's code: the target's own, or those of an applied update that replaces
   * code of it.
   */
  holdsCodeOf(target: string, module: string | undefined): boolean;
  /** Load addresses of a module's sections (`/sys/module/NAME/sections`); undefined if it is not loaded. */
  moduleSections(module: string): ReadonlyMap<string, bigint> | undefined;
}

/**
 * In vmlinux, nm's letter: upper case for external linkage; `u`, `v` and `w` are unique and weak ones, which have it too. In a module
 * upper case says that the symbol is exported, and lower case nothing (s_show in kernel/kallsyms.c, Linux 6.1).
 */
export function isGlobal({ type }: RunSymbol): boolean {
  return /^[A-Zuvw]$/.test(type);
}
