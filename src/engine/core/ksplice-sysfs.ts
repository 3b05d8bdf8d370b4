import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { refuseNotRoot } from "../../host/refusals.js";

/** One function that an update redirects, as the core lists it in `functions`. */
export interface RedirectedFunction {
  readonly name: string;
  readonly oldAddr: bigint;
  /** Bytes. */
  readonly oldSize: number;
  readonly newAddr: bigint;
  /** Bytes. */
  readonly newSize: number;
  /** Byte offset from `oldAddr` of the trampoline; where ftrace redirects, of the end of its call. */
  readonly siteOffset: number;
  /** Ftrace redirects it, and there is no trampoline. */
  readonly byFtrace: boolean;
  readonly target: string;
}

/** A range of existing data that an update overwrites, as the core lists it in `writes`. */
export interface WrittenData {
  readonly name: string;
  readonly addr: bigint;
  /** Bytes. */
  readonly size: number;
  readonly target: string;
}

/** Bytes that an update has taken the place of: what is at `addr` when it is undone. */
export interface DisplacedBytes {
  readonly addr: bigint;
  /** Bytes. */
  readonly size: number;
  /** The bytes, or the address in the kernel at which the update's module has them. */
  readonly bytes: Uint8Array | bigint;
}

/** A module with new code of an update, as the core lists it in `parts`. */
export interface LoadedPart {
  readonly module: string;
  readonly target: string;
  /** Of all that was loaded, addresses included. */
  readonly digest: string;
  /** Nobody outside can have got the address of anything in it: undoing unloads it. */
  readonly isUnloadable: boolean;
}

/**
 * `resident`: reversed, and its code stays in memory, as somebody may still come to it. `released`, which is only asked for, ends that; the stage is
 * `reversed` then, and the modules may be unloaded.
 */
export type RequestedStage = "applied" | "reversed" | "released";

/** How a stage is reached. */
export interface StageOptions {
  /** Wake threads that sleep in the code, and hold them until the attempt is over. */
  readonly nudge?: boolean;
  /** When undoing: leave the code in memory where a thread may have a pointer to it, instead of failing. */
  readonly stay?: boolean;
  /** When applying: the update that is undone at the same moment. */
  readonly replace?: string;
}

/** What the kernel says about one update in /sys/kernel/ksplice/ID. A file that is missing reads as empty, or undefined where it is a number. */
export interface LoadedUpdate {
  readonly id: string;
  readonly stage: string;
  readonly description: string;
  readonly abortCause: string;
  /** Who was inside the code at the latest try. */
  readonly conflicts: readonly TaskConflict[];
  /** How long the machine was stopped by the latest change, in nanoseconds. */
  readonly stopNs: number | undefined;
  readonly attempts: number | undefined;
  readonly functions: readonly RedirectedFunction[];
  readonly writes: readonly WrittenData[];
  readonly parts: readonly LoadedPart[];
  /** Ids of applied updates that redirect or use this one's code. */
  readonly replacedBy: readonly string[];
}

export interface TaskConflict {
  readonly task: string;
  readonly pid: number;
  readonly function: string;
}

/** /sys/kernel/ksplice: what the core tells of its updates, and the switch for each. */
export class KspliceSysfs {
  readonly #directory: string;
  readonly #parameters: string;

  /** @param root directory that holds `sys/` */
  constructor(root = "/") {
    this.#directory = join(root, "sys/kernel/ksplice");
    this.#parameters = join(root, "sys/module/ksplice/parameters");
  }

  /** Ids of all updates that are loaded, in alphabetical order; none if the core is not loaded. */
  listIds(): string[] {
    try {
      return readdirSync(this.#directory, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    } catch {
      return [];
    }
  }

  /** Interface version of the loaded core; undefined if none is loaded. */
  readCoreVersion(): number | undefined {
    return parseNumber(this.#read("", "version"));
  }

  /** The update with this id; undefined if it is not loaded. */
  readUpdate(id: string): LoadedUpdate | undefined {
    if (!this.listIds().includes(id)) return undefined;
    return {
      id,
      stage: this.#read(id, "stage"),
      description: this.#read(id, "description"),
      abortCause: this.#read(id, "abort_cause"),
      conflicts: this.#read(id, "conflicts").split("\n").filter(Boolean).map(parseConflict),
      stopNs: parseNumber(this.#read(id, "stop_ns")),
      attempts: parseNumber(this.#read(id, "attempts")),
      functions: parseRedirectedFunctions(this.#read(id, "functions")),
      writes: parseWrittenData(this.#read(id, "writes")),
      parts: parseParts(this.#read(id, "parts")),
      replacedBy: this.#read(id, "replaced_by").split("\n").filter(Boolean),
    };
  }

  /** What an applied update keeps for its undo: bytes at the sites of its functions and in the data that it writes. */
  readDisplaced(id: string): DisplacedBytes[] {
    return [...parseSiteBytes(this.#read(id, "functions")), ...parseOldData(this.#read(id, "writes"))];
  }

  /**
   * Asks the core to change an update's stage.
   * @throws the system's error where the core refuses; `abort_cause` then says why
   */
  writeStage(id: string, stage: RequestedStage, how: StageOptions = {}): void {
    const flags = (["nudge", "stay"] as const).filter((flag) => how[flag] === true);
    const words = [stage, ...flags, ...(how.replace === undefined ? [] : [`replace=${how.replace}`])];
    writeFileSync(join(this.#directory, id, "stage"), `${words.join(" ")}\n`);
  }

  /** How long the core may look at threads while the machine is stopped, at most; until it is unloaded. Microseconds. */
  writeStopLimit(microseconds: number): void {
    writeFileSync(join(this.#parameters, "stop_limit_us"), `${microseconds}\n`);
  }

  #read(id: string, file: string): string {
    try {
      return readFileSync(join(this.#directory, id, file), "utf8").trimEnd();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EACCES") throw refuseNotRoot();
      return "";
    }
  }
}

/** Parses `functions`: a line each, `NAME OLD_ADDR OLD_SIZE NEW_ADDR NEW_SIZE SITE_OFFSET TARGET SITE_BYTES|ftrace`; addresses in hexadecimal, sizes in decimal. */
export function parseRedirectedFunctions(text: string): RedirectedFunction[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 6)
    .map(([name = "", oldAddr = "0", oldSize = "0", newAddr = "0", newSize = "0", siteOffset = "0", target = "vmlinux", bytes]) => ({
      name,
      oldAddr: BigInt(`0x${oldAddr}`),
      oldSize: Number(oldSize),
      newAddr: BigInt(`0x${newAddr}`),
      newSize: Number(newSize),
      siteOffset: Number(siteOffset),
      byFtrace: bytes === BY_FTRACE,
      target,
    }));
}

/** In place of a site's bytes. */
const BY_FTRACE = "ftrace";

/** The last field of `functions`: what stands at each site when the update is not applied, in hexadecimal; nothing where ftrace redirects. */
function parseSiteBytes(text: string): DisplacedBytes[] {
  return text.split("\n").flatMap((line): DisplacedBytes[] => {
    const [, oldAddr = "0", , , , siteOffset = "0", , hex = ""] = line.trim().split(/\s+/);
    const bytes = hex === BY_FTRACE ? new Uint8Array(0) : Uint8Array.from(Buffer.from(hex, "hex"));
    return bytes.length === 0 ? [] : [{ addr: BigInt(`0x${oldAddr}`) + BigInt(siteOffset), size: bytes.length, bytes }];
  });
}

/** The last field of `writes`: the address of what stands there when the update is not applied. */
function parseOldData(text: string): DisplacedBytes[] {
  return text.split("\n").flatMap((line): DisplacedBytes[] => {
    const [, addr, size, , oldBytes] = line.trim().split(/\s+/);
    if (addr === undefined || oldBytes === undefined) return [];
    return [{ addr: BigInt(`0x${addr}`), size: Number(size), bytes: BigInt(`0x${oldBytes}`) }];
  });
}

/** Parses `writes`: a line each, `NAME ADDR SIZE TARGET OLD_BYTES_ADDR`; addresses in hexadecimal, the size in decimal. */
export function parseWrittenData(text: string): WrittenData[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 4)
    .map(([name = "", addr = "0", size = "0", target = "vmlinux"]) => ({ name, addr: BigInt(`0x${addr}`), size: Number(size), target }));
}

/** Parses `parts`: a line each, `MODULE TARGET DIGEST unloadable|stays`. */
export function parseParts(text: string): LoadedPart[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 4)
    .map(([module = "", target = "", digest = "", fate = ""]) => ({ module, target, digest, isUnloadable: fate === "unloadable" }));
}

/** `TASK PID FUNCTION`; a task's name may hold spaces. */
export function parseConflict(line: string): TaskConflict {
  const [, task = line, pid = "0", name = "?"] = /^(.*) (\d+) (\S+)$/.exec(line) ?? [];
  return { task, pid: Number(pid), function: name };
}

function parseNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
