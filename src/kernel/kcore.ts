import { closeSync, openSync, readSync } from "node:fs";
import { EHDR_SIZE, ET_CORE, PHDR_SIZE, PT_LOAD } from "../elf/constants.js";

interface Segment {
  readonly startAddr: bigint;
  readonly endAddr: bigint;
  readonly fileOffset: bigint;
}

const BLOCK_SIZE = 0x4000;

/**
 * Kernel memory through an ELF core file: /proc/kcore, or a saved one.
 * What was read is kept for as long as the file is open, so a long-lived reader does not see later changes.
 */
export class Kcore {
  readonly #fd: number;
  readonly #segments: readonly Segment[];
  readonly #blocks = new Map<bigint, Uint8Array>();

  /** @throws the system's error if the file cannot be opened or read; Error if it is no 64-bit ELF core */
  constructor(path: string) {
    this.#fd = openSync(path, "r");
    try {
      this.#segments = readSegments(this.#fd, path);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** `size` bytes of memory at `addr`; undefined where no segment holds all of them or the kernel will not read them. A copy. */
  read(addr: bigint, size: number): Uint8Array | undefined {
    const segment = this.#segments.find(({ startAddr, endAddr }) => addr >= startAddr && addr + BigInt(size) <= endAddr);
    if (segment === undefined) return undefined;
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const at = addr + BigInt(done);
      const blockAddr = at - (at % BigInt(BLOCK_SIZE));
      const block = this.#block(segment, blockAddr);
      const from = Number(at - blockAddr);
      const count = Math.min(BLOCK_SIZE - from, size - done);
      if (block === undefined || block.length < from + count) return undefined;
      bytes.set(block.subarray(from, from + count), done);
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The part of a segment that lies in the aligned block at `blockAddr`, with zeros before the segment's start. */
  #block(segment: Segment, blockAddr: bigint): Uint8Array | undefined {
    const known = this.#blocks.get(blockAddr);
    if (known !== undefined) return known;
    const from = blockAddr < segment.startAddr ? segment.startAddr : blockAddr;
    const blockEnd = blockAddr + BigInt(BLOCK_SIZE);
    const end = blockEnd > segment.endAddr ? segment.endAddr : blockEnd;
    const block = new Uint8Array(Number(end - blockAddr));
    const skipped = Number(from - blockAddr);
    if (!readFully(this.#fd, block.subarray(skipped), segment.fileOffset + (from - segment.startAddr))) return undefined;
    // Two segments may share a block; keep only blocks that one segment fills.
    if (skipped === 0 && block.length === BLOCK_SIZE) this.#blocks.set(blockAddr, block);
    return block;
  }
}

function readSegments(fd: number, path: string): Segment[] {
  const header = new Uint8Array(EHDR_SIZE);
  const view = new DataView(header.buffer);
  const isCore = readFully(fd, header, 0n) && view.getUint32(0) === 0x7f454c46 && header[4] === 2 && view.getUint16(16, true) === ET_CORE;
  if (!isCore) throw new Error(`${path} is not a 64-bit ELF core file`);
  const count = view.getUint16(56, true);
  const table = new Uint8Array(count * PHDR_SIZE);
  if (!readFully(fd, table, view.getBigUint64(32, true))) throw new Error(`${path}: program headers cannot be read`);
  const headers = new DataView(table.buffer);
  return Array.from({ length: count }, (_, index) => index * PHDR_SIZE)
    .filter((at) => headers.getUint32(at, true) === PT_LOAD)
    .map((at) => {
      const startAddr = headers.getBigUint64(at + 16, true);
      return { startAddr, endAddr: startAddr + headers.getBigUint64(at + 40, true), fileOffset: headers.getBigUint64(at + 8, true) };
    });
}

/** Reads until `bytes` is full. False at the end of the file or where the kernel refuses. */
function readFully(fd: number, bytes: Uint8Array, position: bigint): boolean {
  let done = 0;
  while (done < bytes.length) {
    let count: number;
    try {
      count = readSync(fd, bytes, done, bytes.length - done, position + BigInt(done));
    } catch {
      return false; // EFAULT and EIO: this piece of memory is not there
    }
    if (count === 0) return false;
    done += count;
  }
  return true;
}
