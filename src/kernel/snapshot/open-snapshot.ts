import { statSync } from "node:fs";
import { findMachine } from "../../arch/machine/machines.js";
import { PT_LOAD, PT_NOTE } from "../../elf/constants.js";
import { ElfFormatError } from "../../elf/elf-format-error.js";
import { parseNotes } from "../../elf/notes.js";
import { parseKallsyms } from "../kallsyms.js";
import { Kcore } from "../live/kcore.js";
import { makeLiveKernel, type LiveKernel } from "../live/live-kernel.js";
import { refuseSnapshot } from "./refusals.js";
import { decodeFacts, NT_KSPLICE_FACTS, NT_KSPLICE_KALLSYMS, SNAPSHOT_OWNER } from "./snapshot-format.js";

/** Far above what a kernel with every module has; a file with holes may claim anything. Bytes. */
const MAX_NOTES = 512 * 1024 * 1024;

/**
 * Opens a snapshot that `ksplice snapshot` made, as foreign input: layout, bounds and facts are checked before anything is used. Memory is
 * read from the file when it is asked for.
 * @throws Refusal `bad-snapshot`
 */
export function openSnapshot(path: string): LiveKernel {
  const memory = openCore(path);
  try {
    requireWhole(memory, path);
    const notes = [...parseNotes(readNotes(memory, path))].filter(({ owner }) => owner === SNAPSHOT_OWNER);
    const facts = notes.find(({ type }) => type === NT_KSPLICE_FACTS);
    const kallsyms = notes.find(({ type }) => type === NT_KSPLICE_KALLSYMS);
    if (facts === undefined) throw refuseSnapshot(path, "it is a core file, but not one of `ksplice snapshot`: it has no facts");
    const decoded = decodeFacts(facts.content, path);
    if (kallsyms === undefined) throw refuseSnapshot(path, "it has no symbols");
    requirePrintable(kallsyms.content, path);
    const symbols = parseKallsyms(kallsyms.content);
    if (symbols.size === 0 || symbols.isHidden) throw refuseSnapshot(path, "its symbols have no addresses");
    const kernel = makeLiveKernel(decoded, symbols, memory);
    requireNoCircle(kernel, path);
    return kernel;
  } catch (error) {
    memory.close();
    throw error;
  }
}

function openCore(path: string): Kcore {
  try {
    if (!statSync(path).isFile()) throw refuseSnapshot(path, "it is not a plain file");
    return new Kcore(path);
  } catch (error) {
    if (error instanceof ElfFormatError) throw refuseSnapshot(path, error.message.replace(`${path}: `, ""));
    if (error instanceof Error && "code" in error && error.code === "ENOENT" && "syscall" in error)
      throw refuseSnapshot(path, "no such file");
    throw error;
  }
}

/** Headers of a core file say where everything is: all of it must be there, once. */
function requireWhole({ header, programHeaders, segments, fileSize }: Kcore, path: string): void {
  if (findMachine(header.machine) === undefined)
    throw refuseSnapshot(path, `it is of another architecture (e_machine is ${header.machine})`);
  for (const { type, addr, fileOffset, fileSize: size, memorySize } of programHeaders) {
    if (fileOffset + size > BigInt(fileSize))
      throw refuseSnapshot(path, `it is cut off: ${fileOffset + size} bytes are wanted, ${fileSize} are there`);
    if (type === PT_LOAD && (memorySize !== size || addr + size > 1n << 64n))
      throw refuseSnapshot(path, `its segment at 0x${addr.toString(16)} makes no sense`);
  }
  for (const [index, { startAddr }] of segments.entries()) {
    const before = segments[index - 1];
    if (before !== undefined && before.endAddr > startAddr)
      throw refuseSnapshot(path, `it has memory at 0x${startAddr.toString(16)} twice`);
  }
}

function readNotes(memory: Kcore, path: string): Uint8Array {
  const [header, second] = memory.programHeaders.filter(({ type }) => type === PT_NOTE);
  if (header === undefined || second !== undefined) throw refuseSnapshot(path, "it does not have one segment of notes");
  if (header.fileSize > MAX_NOTES) throw refuseSnapshot(path, `its notes are larger than ${MAX_NOTES / 1024 / 1024} MiB`);
  const bytes = new Uint8Array(Number(header.fileSize));
  if (!memory.readFile(bytes, header.fileOffset)) throw refuseSnapshot(path, "its notes cannot be read");
  return bytes;
}

/** Names of symbols are printed on terminals. */
function requirePrintable(text: Uint8Array, path: string): void {
  // Not for-of, which takes half a second for the symbols of a thousand modules.
  if (text.some(isControl)) throw refuseSnapshot(path, "its symbols hold control characters");
}

function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x0a && byte !== 0x09) || (byte >= 0x7f && byte < 0xa0);
}

/** Whoever asks for a function's newest code would never get it. */
function requireNoCircle(kernel: LiveKernel, path: string): void {
  try {
    for (const { functions } of kernel.updates) for (const { oldAddr } of functions) kernel.newestCode(oldAddr);
  } catch (error) {
    throw refuseSnapshot(path, error instanceof Error ? error.message : String(error));
  }
}
