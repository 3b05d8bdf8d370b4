import type { Tell } from "../../events.js";
import { NT_GNU_BUILD_ID } from "../../elf/notes.js";
import { CoreWriter } from "./core-writer.js";
import type { Kcore } from "../live/kcore.js";
import { readKernelFacts, readSymbols, type KernelFacts, type SystemMap } from "../live/kernel-facts.js";
import { openKcore } from "../live/live-kernel.js";
import type { AddrRange } from "../live/addr-range.js";
import { chooseRanges } from "../live/memory-ranges.js";
import { requireRoot } from "../live/privilege.js";
import { refuseSnapshotWrite } from "./refusals.js";
import { encodeFacts, NT_KSPLICE_FACTS, NT_KSPLICE_KALLSYMS, SNAPSHOT_OWNER } from "./snapshot-format.js";

export interface SnapshotSummary {
  readonly kernel: { readonly release: string; readonly machine: string; readonly buildId: string | undefined };
  readonly modules: number;
  readonly symbols: number;
  /** Ids of the applied updates. */
  readonly updates: readonly string[];
  readonly segments: number;
  readonly memoryBytes: number;
  /** Of memory that was wanted and could not be read. */
  readonly unreadableBytes: number;
  readonly fileBytes: number;
}

export interface SnapshotOptions {
  /** Directory that holds `proc/` and `sys/`; default `/`. */
  readonly root?: string;
  readonly tell: Tell;
  /** Asked where the kernel itself does not tell where its variables are; the snapshot has them then. */
  readonly systemMap?: SystemMap | undefined;
}

const BLOCK_SIZE = 0x100000;
const PAGE_SIZE = 0x1000;
const MIB = 1024 * 1024;

/**
 * Saves what matching needs of the running kernel into one file, which {@link openSnapshot} opens. Memory goes through one block.
 * @throws Refusal `not-root`, `kallsyms-absent`, `kallsyms-hidden`, `kallsyms-incomplete`, `other-system-map`, `kcore-absent`, `snapshot-not-written`; the system's error if the file cannot be made
 */
export function saveSnapshot(path: string, options: SnapshotOptions): SnapshotSummary {
  const { root = "/" } = options;
  if (root === "/") requireRoot();
  const writer = new CoreWriter(path);
  try {
    return save(writer, root, options);
  } catch (error) {
    writer.abandon();
    // Of a full or broken device the system does not say which file it was.
    if (error instanceof Error && "code" in error && "syscall" in error && !("path" in error))
      throw refuseSnapshotWrite(path, error.message);
    throw error;
  }
}

function save(writer: CoreWriter, root: string, { tell, systemMap }: SnapshotOptions): SnapshotSummary {
  tell("stage", "reading the symbols");
  const { text, symbols } = readSymbols(root, systemMap);
  const kcore = openKcore(root);
  try {
    tell("stage", "reading the modules' sections");
    const facts = readKernelFacts(root);
    const encoded = encodeFacts(facts);
    const ranges = chooseRanges(symbols, facts, kcore.segments);
    const unreadableBytes = saveMemory(writer, kcore, ranges, tell);
    const { memoryBytes, segmentCount } = writer;
    writer.addNotes([
      ...buildIdNote(facts),
      { owner: SNAPSHOT_OWNER, type: NT_KSPLICE_FACTS, content: encoded },
      { owner: SNAPSHOT_OWNER, type: NT_KSPLICE_KALLSYMS, content: text },
    ]);
    const { release, machine, buildId, modules, updates } = facts;
    return {
      kernel: { release, machine, buildId },
      modules: modules.length,
      symbols: symbols.size,
      updates: updates.filter(({ stage }) => stage === "applied").map(({ id }) => id),
      segments: segmentCount,
      memoryBytes,
      unreadableBytes,
      fileBytes: writer.finish(kcore.header.machine),
    };
  } finally {
    kcore.close();
  }
}

/** @returns how many bytes could not be read */
function saveMemory(writer: CoreWriter, kcore: Kcore, ranges: readonly AddrRange[], tell: Tell): number {
  const total = ranges.reduce((sum, { startAddr, endAddr }) => sum + Number(endAddr - startAddr), 0);
  const buffer = new Uint8Array(BLOCK_SIZE);
  let unreadable = 0;
  let told = -1;
  for (const { startAddr, endAddr } of ranges) {
    for (let addr = startAddr; addr < endAddr; addr += BigInt(BLOCK_SIZE)) {
      const left = endAddr - addr;
      const block = buffer.subarray(0, left < BLOCK_SIZE ? Number(left) : BLOCK_SIZE);
      if (kcore.readInto(block, addr)) writer.addMemory(addr, block);
      else unreadable += savePages(writer, kcore, addr, block);
      const tenth = Math.floor((10 * (writer.memoryBytes + unreadable)) / total);
      if (tenth > told)
        tell("stage", `saving memory: ${Math.round((writer.memoryBytes + unreadable) / MIB)} of ${Math.round(total / MIB)} MiB`);
      told = tenth;
    }
  }
  return unreadable;
}

/** Saves what can be read of a block that cannot be read as a whole. @returns how many bytes could not be read */
function savePages(writer: CoreWriter, kcore: Kcore, blockAddr: bigint, block: Uint8Array): number {
  let unreadable = 0;
  for (let at = 0; at < block.length;) {
    const addr = blockAddr + BigInt(at);
    const page = block.subarray(at, Math.min(block.length, at + PAGE_SIZE - Number(addr % BigInt(PAGE_SIZE))));
    if (kcore.readInto(page, addr)) writer.addMemory(addr, page);
    else unreadable += page.length;
    at += page.length;
  }
  return unreadable;
}

/** For tools that look for it: our own reader takes it from the facts. */
function buildIdNote({ buildId }: KernelFacts): { owner: string; type: number; content: Uint8Array }[] {
  return buildId === undefined ? [] : [{ owner: "GNU", type: NT_GNU_BUILD_ID, content: Buffer.from(buildId, "hex") }];
}
