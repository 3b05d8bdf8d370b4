import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { EHDR_SIZE, PF_R, PF_W, PF_X, PN_XNUM, PT_LOAD, PT_NOTE } from "../../elf/constants.js";
import { writeCoreHeader, writeProgramHeaders, type ProgramHeader } from "../../elf/core-headers.js";
import { alignTo4, noteHeader } from "../../elf/notes.js";

const PAGE_SIZE = 0x1000;

/**
 * Writes an ELF core file from front to back: memory, notes, and last the headers, as only then it is known what could be read. The file
 * is FILE.part until it is whole, and readable by its owner only.
 */
export class CoreWriter {
  readonly #path: string;
  readonly #fd: number;
  readonly #headers: ProgramHeader[] = [];
  /** Where the next byte goes. */
  #offset = PAGE_SIZE;
  #memoryBytes = 0;
  #isOpen = true;

  /** @throws the system's error if the file cannot be made */
  constructor(path: string) {
    this.#path = path;
    // A new file: one that somebody has put there is not written into.
    rmSync(this.#part, { force: true });
    this.#fd = openSync(this.#part, "wx", 0o600);
  }

  /** Bytes of memory so far. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Stretches of memory so far. */
  get segmentCount(): number {
    return this.#headers.filter(({ type }) => type === PT_LOAD).length;
  }

  /** Appends memory. What adjoins the latest becomes one segment with it. */
  addMemory(addr: bigint, bytes: Uint8Array): void {
    const last = this.#headers.at(-1);
    const size = BigInt(bytes.length);
    this.#memoryBytes += bytes.length;
    if (last?.type === PT_LOAD && last.addr + last.memorySize === addr) {
      this.#headers[this.#headers.length - 1] = { ...last, fileSize: last.fileSize + size, memorySize: last.memorySize + size };
    } else {
      // Offset and address are congruent, as p_align demands.
      this.#offset += Number(BigInt.asUintN(64, addr - BigInt(this.#offset)) % BigInt(PAGE_SIZE));
      const header = { type: PT_LOAD, flags: PF_R | PF_W | PF_X, addr, align: BigInt(PAGE_SIZE) };
      this.#headers.push({ ...header, fileOffset: BigInt(this.#offset), fileSize: size, memorySize: size });
    }
    this.#write(bytes);
  }

  /** Appends the one segment with notes. */
  addNotes(notes: readonly { readonly owner: string; readonly type: number; readonly content: Uint8Array }[]): void {
    this.#offset = alignTo4(this.#offset);
    const start = this.#offset;
    for (const { owner, type, content } of notes) {
      this.#write(noteHeader(owner, type, content.length));
      this.#write(content);
      this.#write(new Uint8Array(alignTo4(content.length) - content.length));
    }
    const header = { type: PT_NOTE, flags: PF_R, addr: 0n, memorySize: 0n, align: 4n };
    this.#headers.push({ ...header, fileOffset: BigInt(start), fileSize: BigInt(this.#offset - start) });
  }

  /** Completes the file and gives it its name. @param machine e_machine. @returns its size in bytes */
  finish(machine: number): number {
    const count = this.#headers.length;
    if (count >= PN_XNUM) throw new Error(`${count} segments are more than a core file may have`);
    this.#offset = Math.ceil(this.#offset / 8) * 8;
    const tableOffset = BigInt(this.#offset);
    // Notes first, as tools expect it.
    this.#write(writeProgramHeaders([...this.#headers].sort((a, b) => b.type - a.type)));
    const size = this.#offset;
    this.#offset = 0;
    this.#write(writeCoreHeader({ machine, tableOffset, count }));
    if (this.#offset !== EHDR_SIZE) throw new Error(`a header of ${this.#offset} bytes`);
    this.#close();
    renameSync(this.#part, this.#path);
    return size;
  }

  /** Leaves nothing behind. */
  abandon(): void {
    this.#close();
    rmSync(this.#part, { force: true });
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  get #part(): string {
    return `${this.#path}.part`;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const count = writeSync(this.#fd, bytes, done, bytes.length - done, this.#offset);
      done += count;
      this.#offset += count;
    }
  }
}
