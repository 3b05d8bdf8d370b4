import { BTF_MAGIC } from "../../src/btf/constants.js";
import type { Btf } from "../../src/btf/btf.js";

interface BuiltMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
}

/** Writes BTF for tests: each method adds a type and gives its id. */
export class BtfBuilder {
  readonly #words: number[] = [];
  #strings: string;
  #nextId: number;
  readonly #stringsStart: number;

  constructor(base?: Btf) {
    this.#nextId = base?.endId ?? 1;
    this.#stringsStart = base?.stringsEnd ?? 0;
    this.#strings = base === undefined ? "\0" : "";
  }

  /** A type as it stands in the file. */
  raw(name: number, kind: number, vlen: number, sizeOrType: number, more: readonly number[] = []): number {
    this.#words.push(name, ((kind << 24) | vlen) >>> 0, sizeOrType, ...more);
    return this.#nextId++;
  }

  int(name: string, size: number, bits = size * 8): number {
    return this.raw(this.#string(name), 1, 0, size, [bits]);
  }

  array(element: number, count: number): number {
    return this.raw(0, 3, 0, 0, [element, 0, count]);
  }

  struct(name: string, size: number, members: readonly BuiltMember[]): number {
    const more = members.flatMap((member) => [this.#string(member.name), member.type, member.bitOffset]);
    return this.raw(this.#string(name), 4, members.length, size, more);
  }

  typedef(name: string, type: number): number {
    return this.raw(this.#string(name), 8, 0, type);
  }

  bytes(): Uint8Array {
    const types = this.#words.length * 4;
    const bytes = new Uint8Array(24 + types + this.#strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, BTF_MAGIC, true);
    view.setUint8(2, 1);
    [24, 0, types, types, this.#strings.length].forEach((value, index) => {
      view.setUint32(4 + index * 4, value, true);
    });
    this.#words.forEach((word, index) => {
      view.setUint32(24 + index * 4, word, true);
    });
    bytes.set(Buffer.from(this.#strings, "latin1"), 24 + types);
    return bytes;
  }

  #string(text: string): number {
    if (text === "") return 0;
    const at = this.#stringsStart + this.#strings.length;
    this.#strings += `${text}\0`;
    return at;
  }
}
