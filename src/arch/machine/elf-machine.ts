/** One way in which a field holds an address: what a relocation type writes. */
export interface RelocationType {
  /** The number in the file. */
  readonly value: number;
  /** As the processor's ELF supplement spells it. */
  readonly name: string;
  /** Width of the relocated field in bytes; 0 for a type that writes nothing. */
  readonly size: number;
  /** The place's own address is subtracted. */
  readonly pcRelative: boolean;
  /** The field is sign-extended (true) or zero-extended (false) to 64 bits when it is used. */
  readonly signed: boolean;
}

/** What the ELF format leaves to the processor. */
export interface ElfMachine {
  /** e_machine */
  readonly value: number;
  readonly name: string;
  /** All that the kernel's module loader knows, by their numbers. */
  readonly relocationTypes: ReadonlyMap<number, RelocationType>;
  /** A pointer in data. */
  readonly pointer: RelocationType;
  /** The distance from the field to something, in 4 bytes. */
  readonly distance: RelocationType;
  /** The displacement of a branch of usual size, and of the shortest. */
  readonly nearBranch: RelocationType;
  readonly shortBranch: RelocationType;
}

const POINTER_SIZE = 8;

/** True for a whole address. */
export function isPointer({ size, pcRelative }: RelocationType): boolean {
  return size === POINTER_SIZE && !pcRelative;
}
