import * as kinds from "./constants.js";

/** One member as it stands in a struct or union. */
export interface RawMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 for a member that is no bit-field. */
  readonly bitfieldSize: number;
}

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

interface Parts {
  readonly fileName: string;
  readonly base: Btf | undefined;
  /** The type section. */
  readonly view: DataView;
  /** Where each type begins in it. */
  readonly offsets: Uint32Array;
  readonly strings: Uint8Array;
}

const utf8 = new TextDecoder("utf-8");

/**
 * Types by their ids: 0 is void; a module's own come after those of the base. Nothing is decoded before it is asked for. Made by
 * `parseBtf`, which has checked all places and references.
 */
export class Btf {
  readonly fileName: string;
  readonly base: Btf | undefined;
  /** The first id that is this file's own, not the base's. */
  readonly firstId: number;
  /** One behind the last id. */
  readonly endId: number;
  readonly #view: DataView;
  readonly #offsets: Uint32Array;
  readonly #strings: Uint8Array;
  readonly #stringsStart: number;
  #index: Map<string, number[]> | undefined;

  constructor(parts: Parts) {
    this.fileName = parts.fileName;
    this.base = parts.base;
    this.firstId = parts.base?.endId ?? 1;
    this.endId = this.firstId + parts.offsets.length;
    this.#view = parts.view;
    this.#offsets = parts.offsets;
    this.#strings = parts.strings;
    this.#stringsStart = parts.base?.stringsEnd ?? 0;
  }

  /** One behind the last offset of a string. */
  get stringsEnd(): number {
    return this.#stringsStart + this.#strings.length;
  }

  /** BTF_KIND_*; 0 for void. */
  kind(id: number): number {
    return id === 0 ? 0 : (this.#word(id, 4) >>> 24) & 0x1f;
  }

  /** Empty for a type without a name. */
  name(id: number): string {
    return id === 0 ? "void" : this.#string(this.#word(id, 0));
  }

  isNamed(id: number): boolean {
    return this.#word(id, 0) !== 0;
  }

  /** The type that a pointer, typedef, qualifier, function or tag refers to. */
  target(id: number): number {
    return this.#word(id, 8);
  }

  /** Bytes of an integer, float, enum, struct or union. */
  size(id: number): number {
    return this.#word(id, 8);
  }

  /** A forward declaration's: true for a union. */
  kindFlag(id: number): boolean {
    return this.#word(id, 4) >>> 31 === 1;
  }

  array(id: number): { readonly element: number; readonly count: number } {
    return { element: this.#word(id, kinds.BTF_TYPE_SIZE), count: this.#word(id, kinds.BTF_TYPE_SIZE + 8) };
  }

  /** The members of a struct or union, in their order. */
  members(id: number): RawMember[] {
    const hasBitfields = this.kindFlag(id);
    return this.#entries(id, 12, (at) => {
      const type = this.#word(id, at + 4);
      const offset = this.#word(id, at + 8);
      return {
        name: this.#string(this.#word(id, at)),
        type,
        bitOffset: hasBitfields ? offset & 0xffffff : offset + this.#oldBitOffset(type),
        bitfieldSize: hasBitfields ? offset >>> 24 : this.#oldBitfieldSize(type),
      };
    });
  }

  /** Without the kind flag a bit-field is an integer type of fewer bits than its bytes have. */
  #oldBitfieldSize(type: number): number {
    if (this.kind(type) !== kinds.BTF_KIND_INT) return 0;
    const bits = this.#word(type, kinds.BTF_TYPE_SIZE) & 0xff;
    return bits < this.size(type) * 8 ? bits : 0;
  }

  #oldBitOffset(type: number): number {
    return this.kind(type) === kinds.BTF_KIND_INT ? (this.#word(type, kinds.BTF_TYPE_SIZE) >>> 16) & 0xff : 0;
  }

  /** The parameters of a function prototype, in their order; a variable list of further ones ends with a parameter of type void. */
  parameters(id: number): { readonly name: string; readonly type: number }[] {
    return this.#entries(id, 8, (at) => ({ name: this.#string(this.#word(id, at)), type: this.#word(id, at + 4) }));
  }

  /** The names of an enum and their values, in their order. Of BTF_KIND_ENUM with 8 bytes only the low half is known. */
  enumerators(id: number): Enumerator[] {
    const isSigned = this.kindFlag(id);
    if (this.kind(id) === kinds.BTF_KIND_ENUM)
      return this.#entries(id, 8, (at) => {
        const value = BigInt(this.#word(id, at + 4));
        return { name: this.#string(this.#word(id, at)), value: isSigned ? BigInt.asIntN(32, value) : value };
      });
    return this.#entries(id, 12, (at) => {
      const value = (BigInt(this.#word(id, at + 8)) << 32n) | BigInt(this.#word(id, at + 4));
      return { name: this.#string(this.#word(id, at)), value: isSigned ? BigInt.asIntN(64, value) : value };
    });
  }

  /** Ids of structs, unions, enums and typedefs of a name, the base's first. */
  idsNamed(name: string): readonly number[] {
    const own = this.#ownIndex().get(name) ?? [];
    return this.base === undefined ? own : [...this.base.idsNamed(name), ...own];
  }

  #ownIndex(): Map<string, number[]> {
    if (this.#index !== undefined) return this.#index;
    const index = new Map<string, number[]>();
    for (let id = this.firstId; id < this.endId; id++) {
      if (!INDEXED.has(this.kind(id)) || !this.isNamed(id)) continue;
      const name = this.name(id);
      const ids = index.get(name);
      if (ids === undefined) index.set(name, [id]);
      else ids.push(id);
    }
    this.#index = index;
    return index;
  }

  #entries<T>(id: number, size: number, read: (at: number) => T): T[] {
    const count = this.#word(id, 4) & 0xffff;
    return Array.from({ length: count }, (_, index) => read(kinds.BTF_TYPE_SIZE + index * size));
  }

  #word(id: number, at: number): number {
    if (id < this.firstId && this.base !== undefined) return this.base.#word(id, at);
    const offset = this.#offsets[id - this.firstId];
    if (offset === undefined) throw new RangeError(`${this.fileName}: no type ${String(id)}`);
    return this.#view.getUint32(offset + at, true);
  }

  #string(offset: number): string {
    if (offset < this.#stringsStart && this.base !== undefined) return this.base.#string(offset);
    const start = offset - this.#stringsStart;
    return utf8.decode(this.#strings.subarray(start, this.#strings.indexOf(0, start)));
  }
}

const INDEXED: ReadonlySet<number> = new Set([
  kinds.BTF_KIND_STRUCT,
  kinds.BTF_KIND_UNION,
  kinds.BTF_KIND_ENUM,
  kinds.BTF_KIND_ENUM64,
  kinds.BTF_KIND_TYPEDEF,
]);
