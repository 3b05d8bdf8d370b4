import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { EHDR_SIZE, PHDR_SIZE, PT_LOAD } from "../../elf/constants.js";
import { parseCoreHeader, parseProgramHeaders, type CoreHeader, type ProgramHeader } from "../../elf/core-headers.js";
import { BlockCache } from "./block-cache.js";

/** Memory that a core file holds. */
export interface MemorySegment {
  readonly startAddr: bigint;
  readonly endAddr: bigint;
  readonly fileOffset: bigint;
  /** The first of its blocks is this one of the file's. */
  readonly firstBlock: number;
}

const BLOCK_SIZE = 0x4000;
/** Enough for all that matching reads of a kernel image and a hundred modules. */
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Kernel memory through an ELF core file: /proc/kcore, or a snapshot.
 * What was read may be kept for as long as the file is open, so a long-lived reader does not see later changes.
 */
export class Kcore {
  readonly header: CoreHeader;
  readonly programHeaders: readonly ProgramHeader[];
  /** In order of their addresses. */
  readonly segments: readonly MemorySegment[];
  /** What the file system says. Bytes. */
  readonly fileSize: number;
  readonly #fd: number;
  readonly #cache = new BlockCache(CACHE_BYTES);

  /** @throws the system's error if the file cannot be opened or read; ElfFormatError if it is no 64-bit ELF core */
  constructor(path: string) {
    this.#fd = openSync(path, "r");
    try {
      this.fileSize = fstatSync(this.#fd).size;
      this.header = parseCoreHeader(this.#readStart(0n, EHDR_SIZE), path);
      const { tableOffset, count } = this.header;
      this.programHeaders = parseProgramHeaders(this.#readStart(tableOffset, count * PHDR_SIZE), count, path);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
    this.segments = listSegments(this.programHeaders);
  }

  /** `size` bytes of memory at `addr`; undefined where no segment holds all of them or the kernel will not read them. A copy. */
  read(addr: bigint, size: number): Uint8Array | undefined {
    const segment = this.#segmentOf(addr, size);
    if (segment === undefined) return undefined;
    const bytes = new Uint8Array(size);
    let number = Number((addr - segment.startAddr) / BigInt(BLOCK_SIZE));
    let from = Number((addr - segment.startAddr) % BigInt(BLOCK_SIZE));
    for (let done = 0; done < size; number++, from = 0) {
      const block = this.#block(segment, number);
      const count = Math.min(BLOCK_SIZE - from, size - done);
      if (block === undefined || block.length < from + count) return undefined;
      bytes.set(block.subarray(from, from + count), done);
      done += count;
    }
    return bytes;
  }

  /** Fills `bytes` with the memory at `addr`, read from the file now and not kept. False where {@link read} would give undefined. */
  readInto(bytes: Uint8Array, addr: bigint): boolean {
    const segment = this.#segmentOf(addr, bytes.length);
    return segment !== undefined && this.readFile(bytes, segment.fileOffset + (addr - segment.startAddr));
  }

  /** Fills `bytes` with what the file has at an offset. False at the end of the file or where the kernel refuses. */
  readFile(bytes: Uint8Array, offset: bigint): boolean {
    return readAtMost(this.#fd, bytes, offset) === bytes.length;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readStart(offset: bigint, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, readAtMost(this.#fd, bytes, offset));
  }

  #segmentOf(addr: bigint, size: number): MemorySegment | undefined {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.segments[middle]?.startAddr ?? 0n) <= addr) low = middle + 1;
      else high = middle;
    }
    const segment = this.segments[low - 1];
    return segment !== undefined && addr + BigInt(size) <= segment.endAddr ? segment : undefined;
  }

  #block(segment: MemorySegment, number: number): Uint8Array | undefined {
    const known = this.#cache.get(segment.firstBlock + number);
    if (known !== undefined) return known;
    const start = BigInt(number) * BigInt(BLOCK_SIZE);
    const left = segment.endAddr - segment.startAddr - start;
    const block = new Uint8Array(left < BLOCK_SIZE ? Number(left) : BLOCK_SIZE);
    if (!this.readFile(block, segment.fileOffset + start)) return undefined;
    this.#cache.set(segment.firstBlock + number, block);
    return block;
  }
}

function listSegments(headers: readonly ProgramHeader[]): MemorySegment[] {
  let firstBlock = 0;
  return headers
    .filter(({ type }) => type === PT_LOAD)
    .map(({ addr, memorySize, fileOffset }) => ({ startAddr: addr, endAddr: addr + memorySize, fileOffset }))
    .sort((a, b) => (a.startAddr < b.startAddr ? -1 : a.startAddr > b.startAddr ? 1 : 0))
    .map((segment) => {
      const numbered = { ...segment, firstBlock };
      firstBlock += Number((segment.endAddr - segment.startAddr) / BigInt(BLOCK_SIZE)) + 1;
      return numbered;
    });
}

/** @returns how many bytes there were: fewer than wanted at the end of the file or where the kernel refuses */
function readAtMost(fd: number, bytes: Uint8Array, offset: bigint): number {
  let done = 0;
  while (done < bytes.length) {
    let count: number;
    try {
      count = readSync(fd, bytes, done, bytes.length - done, offset + BigInt(done));
    } catch {
      return done; // EFAULT and EIO: this piece of memory is not there
    }
    if (count === 0) return done;
    done += count;
  }
  return done;
}
