import { describe, expect, it } from "vitest";
import { R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32 } from "../../../../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHF_EXECINSTR } from "../../../../../src/elf/constants.js";
import type { ElfRelocation, ElfSection, ElfSymbol } from "../../../../../src/elf/model.js";
import { matchUnit } from "../../../../../src/match/match-unit.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../../../support/elf-builder.js";
import { FakeKernel, TEXT_START } from "../../../../support/fake-kernel.js";

const CODE = { flags: SHF_ALLOC | SHF_EXECINSTR };
/** What surrounds the site in every case: mov %edi,%eax before, ret; int3 behind. */
const BEFORE = [0x89, 0xf8];
const AFTER = [0xc3, 0xcc];
const FUNC = "func";
const ADDR = TEXT_START + 0x1000n;

/** Addresses that live bytes refer to, by name. */
const EXTERNALS: Readonly<Record<string, bigint>> = {
  __fentry__: TEXT_START + 0x4000n,
  ftrace_caller: TEXT_START + 0x4100n,
  __x86_return_thunk: TEXT_START + 0x4200n,
  srso_return_thunk: TEXT_START + 0x4300n,
  __x86_indirect_thunk_rdx: TEXT_START + 0x4400n,
  __x86_indirect_thunk_r11: TEXT_START + 0x4440n,
  __x86_indirect_call_thunk_rdx: TEXT_START + 0x4480n,
  __SCT__hook: TEXT_START + 0x4500n,
  current_hook: TEXT_START + 0x4600n,
  other_function: TEXT_START + 0x4700n,
  helper: TEXT_START + 0x4800n,
  native_op: TEXT_START + 0x4900n,
  pv_ops: TEXT_START + 0x4a00n,
  __SCT__WARN_trap: TEXT_START + 0x4d00n,
  __WARN_trap: TEXT_START + 0x4e00n,
  __SCT__queued_spin_unlock: TEXT_START + 0x4f00n,
  __raw_callee_save___native_queued_spin_unlock: TEXT_START + 0x5000n,
  bpf_trampoline_6442467321: TEXT_START + 0x4b00n,
  bpf_trampoline_helper: TEXT_START + 0x4c00n,
};

/** Where the trampolines of static calls lead. */
const STATIC_CALLS: Readonly<Record<string, keyof typeof EXTERNALS>> = {
  __SCT__hook: "current_hook",
  __SCT__WARN_trap: "__WARN_trap",
  __SCT__queued_spin_unlock: "__raw_callee_save___native_queued_spin_unlock",
};

/** Live bytes: numbers, and the rel32 to a name. */
type Live = readonly (number | string)[];

interface Site {
  readonly bytes: readonly number[];
  /** Relocations of the site, offsets from its start. */
  readonly relocations?: readonly { offset: number; name: string }[];
  /** Further sections that describe the site. */
  readonly tables?: (text: ElfSection, textSymbol: ElfSymbol, offset: number) => ElfSection[];
}

function verdict(site: Site, live: Live): string {
  const symbols = new Map(Object.keys(EXTERNALS).map((name) => [name, makeUndefined(name)]));
  const text = makeSection(`.text.${FUNC}`, [...BEFORE, ...site.bytes, ...AFTER], CODE);
  const textSymbol = makeFunction(FUNC, text);
  for (const { offset, name } of site.relocations ?? []) text.relocations.push(pc32(BEFORE.length + offset, symbols.get(name)));
  const tables = site.tables?.(text, textSymbol, BEFORE.length) ?? [];
  const used = [...text.relocations, ...tables.flatMap((table) => table.relocations)].map(({ symbol }) => symbol);
  const object = makeObject([text, ...tables], [...new Set([textSymbol, ...used])]);

  const kernel = new FakeKernel();
  for (const [name, addr] of Object.entries(EXTERNALS)) {
    kernel.define(name, addr, "T", /^bpf_trampoline_\d/.test(name) ? "bpf" : undefined);
    const target = STATIC_CALLS[name];
    kernel.place(addr, target === undefined ? new Array<number>(64).fill(0xcc) : resolve([0xe9, target], addr));
  }
  kernel.define(FUNC, ADDR);
  kernel.place(ADDR, [...resolve([...BEFORE, ...live, ...AFTER], ADDR), ...new Array<number>(80).fill(0xcc)]);
  const match = matchUnit(object, { path: "unit.o", target: "vmlinux" }, kernel);
  return match.kind === "matched" ? "matched" : (match.mismatches[0]?.reason ?? "");
}

/** Puts numbers for names: rel32s from where they stand. */
function resolve(live: Live, addr: bigint): number[] {
  const bytes: number[] = [];
  for (const item of live) {
    if (typeof item === "number") {
      bytes.push(item);
      continue;
    }
    const target = EXTERNALS[item];
    if (target === undefined) throw new Error(`no address for ${item}`);
    const displacement = Number(target - (addr + BigInt(bytes.length + 4)));
    for (let shift = 0; shift < 32; shift += 8) bytes.push((displacement >> shift) & 0xff);
  }
  return bytes;
}

function pc32(offset: number, symbol: ElfSymbol | undefined, addend = -4): ElfRelocation {
  if (symbol === undefined) throw new Error("no symbol");
  return { offset, type: R_X86_64_PLT32, symbol, addend };
}

const CALL = (name: string): Site => ({ bytes: [0xe8, 0, 0, 0, 0], relocations: [{ offset: 1, name }] });
const JMP = (name: string): Site => ({ bytes: [0xe9, 0, 0, 0, 0], relocations: [{ offset: 1, name }] });
const PREFIXED_CALL = (name: string): Site => ({ bytes: [0x2e, 0xe8, 0, 0, 0, 0], relocations: [{ offset: 2, name }] });
const JCC = (name: string): Site => ({ bytes: [0x0f, 0x84, 0, 0, 0, 0], relocations: [{ offset: 2, name }] });

/** Bytes with an alternative, in entries of 12 bytes (Linux 6.1) or of 14 (6.12). */
function alternative(
  bytes: readonly number[],
  replacement: readonly number[],
  options: {
    entrySize?: 12 | 14;
    flags?: number;
    calls?: { offset: number; name: string }[];
    relocations?: { offset: number; name: string }[];
  } = {},
): Site {
  return {
    bytes,
    relocations: options.relocations ?? [],
    tables: (_text, textSymbol, offset) => {
      const entrySize = options.entrySize ?? 12;
      const content = makeSection(".altinstr_replacement", replacement, CODE);
      const label = makeFunction("", content, { type: 3, size: 0 });
      for (const { offset: at, name } of options.calls ?? []) content.relocations.push(pc32(at, makeUndefined(name)));
      const entry = new Uint8Array(entrySize);
      entry[10] = entrySize === 14 ? (options.flags ?? 0) : bytes.length;
      entry[entrySize - 2] = bytes.length;
      entry[entrySize - 1] = replacement.length;
      const table = makeSection(".altinstructions", entry);
      table.relocations.push(
        { offset: 0, type: R_X86_64_PC32, symbol: textSymbol, addend: offset },
        { offset: 4, type: R_X86_64_PC32, symbol: label, addend: 0 },
      );
      return [content, table];
    },
  };
}

function paravirt(): Site {
  return {
    bytes: [0xff, 0x15, 0, 0, 0, 0],
    relocations: [{ offset: 2, name: "pv_ops" }],
    tables: (_text, textSymbol, offset) => {
      const entry = new Uint8Array(16);
      entry[9] = 6;
      const table = makeSection(".parainstructions", entry);
      table.relocations.push({ offset: 0, type: R_X86_64_64, symbol: textSymbol, addend: offset });
      return [table];
    },
  };
}

/** A jump label whose branch leads to the function's ret. */
function jumpLabel(bytes: readonly number[]): Site {
  return {
    bytes,
    tables: (text, textSymbol, offset) => {
      const table = makeSection("__jump_table", new Uint8Array(16));
      table.relocations.push(
        { offset: 0, type: R_X86_64_PC32, symbol: textSymbol, addend: offset },
        { offset: 4, type: R_X86_64_PC32, symbol: textSymbol, addend: text.size - AFTER.length },
      );
      return [table];
    },
  };
}

function lock(bytes: readonly number[]): Site {
  return {
    bytes,
    tables: (_text, textSymbol, offset) => {
      const table = makeSection(".smp_locks", new Uint8Array(4));
      table.relocations.push({ offset: 0, type: R_X86_64_PC32, symbol: textSymbol, addend: offset });
      return [table];
    },
  };
}

const WARN = [0x67, 0x48, 0x0f, 0xb9, 0x3a];
const NOP5 = [0x0f, 0x1f, 0x44, 0, 0];
const CALL_PV = [0xff, 0x15, 0, 0, 0, 0];
const PV = { relocations: [{ offset: 2, name: "pv_ops" }] };
const RETURN = "function return";

/** Site, live bytes, and what is wrong with them: undefined if they match. */
const CASES: readonly (readonly [name: string, site: Site, live: Live, wrong?: string | undefined])[] = [
  ["ftrace: a no-op", CALL("__fentry__"), NOP5],
  ["ftrace: a call of ftrace_caller", CALL("__fentry__"), [0xe8, "ftrace_caller"]],
  ["ftrace: not a breakpoint", CALL("__fentry__"), [0xcc, 0x1f, 0x44, 0, 0], "ftrace call"],
  ["ftrace: a jump to a BPF program's trampoline", CALL("__fentry__"), [0xe9, "bpf_trampoline_6442467321"]],
  ["ftrace: not a jump to what only has such a name", CALL("__fentry__"), [0xe9, "bpf_trampoline_helper"], "ftrace call"],
  ["ftrace: not a jump", CALL("__fentry__"), [0xe9, "ftrace_caller"], "ftrace call"],
  ["ftrace: not a call to nowhere", CALL("__fentry__"), [0xe8, 0, 0, 0, 0x10], "ftrace call"],

  ["return: ret and traps", JMP("__x86_return_thunk"), [0xc3, 0xcc, 0xcc, 0xcc, 0xcc]],
  ["return: the compiler's thunk", JMP("__x86_return_thunk"), [0xe9, "__x86_return_thunk"]],
  ["return: a mitigation's thunk", JMP("__x86_return_thunk"), [0xe9, "srso_return_thunk"]],
  ["return: not a jump elsewhere", JMP("__x86_return_thunk"), [0xe9, "helper"], RETURN],
  ["return: not ret and no-ops", JMP("__x86_return_thunk"), [0xc3, 0x90, 0x90, 0x90, 0x90], RETURN],

  ["retpoline: the thunk", CALL("__x86_indirect_thunk_rdx"), [0xe8, "__x86_indirect_thunk_rdx"]],
  ["retpoline: the accounting thunk", CALL("__x86_indirect_thunk_rdx"), [0xe8, "__x86_indirect_call_thunk_rdx"]],
  ["retpoline: a direct call", CALL("__x86_indirect_thunk_rdx"), [0xff, 0xd2, 0x0f, 0x1f, 0x00]],
  ["retpoline: lfence and call", CALL("__x86_indirect_thunk_rdx"), [0x0f, 0xae, 0xe8, 0xff, 0xd2]],
  ["retpoline: r11 with its prefix", PREFIXED_CALL("__x86_indirect_thunk_r11"), [0x41, 0xff, 0xd3, 0x0f, 0x1f, 0x00]],
  ["retpoline: r11, lfence", PREFIXED_CALL("__x86_indirect_thunk_r11"), [0x0f, 0xae, 0xe8, 0x41, 0xff, 0xd3]],
  ["retpoline: a jump, with its trap", JMP("__x86_indirect_thunk_rdx"), [0xff, 0xe2, 0xcc, 0x66, 0x90]],
  ["retpoline: a conditional jump", JCC("__x86_indirect_thunk_rdx"), [0x75, 0x04, 0xff, 0xe2, 0xcc, 0x90]],
  ["retpoline: not another register", CALL("__x86_indirect_thunk_rdx"), [0xff, 0xd1, 0x0f, 0x1f, 0x00], "indirect branch"],
  ["retpoline: not a jump for a call", CALL("__x86_indirect_thunk_rdx"), [0xff, 0xe2, 0x0f, 0x1f, 0x00], "indirect branch"],
  ["retpoline: not another thunk", CALL("__x86_indirect_thunk_rdx"), [0xe8, "__x86_indirect_thunk_r11"], "indirect branch"],

  ["static call: the trampoline", CALL("__SCT__hook"), [0xe8, "__SCT__hook"]],
  ["static call: where it leads now", CALL("__SCT__hook"), [0xe8, "current_hook"]],
  ["static call: nothing", CALL("__SCT__hook"), NOP5],
  ["static call: return 0", CALL("__SCT__hook"), [0x2e, 0x2e, 0x2e, 0x31, 0xc0]],
  ["static call: tail, return", JMP("__SCT__hook"), [0xc3, 0xcc, 0xcc, 0xcc, 0xcc]],
  ["static call: tail, where it leads now", JMP("__SCT__hook"), [0xe9, "current_hook"]],
  ["static call: conditional", JCC("__SCT__hook"), [0x0f, 0x84, "current_hook"]],
  ["static call: a warning's instruction", CALL("__SCT__WARN_trap"), WARN],
  ["static call: an unlocking store", CALL("__SCT__queued_spin_unlock"), [0x3e, 0x3e, 0xc6, 0x07, 0x00]],
  ["static call: not a warning's instruction where it leads elsewhere", CALL("__SCT__hook"), WARN, "static call"],
  ["static call: not a warning's instruction for another function's", CALL("__SCT__queued_spin_unlock"), WARN, "static call"],
  ["static call: not a warning's instruction for a jump", JMP("__SCT__WARN_trap"), WARN, "static call"],
  ["static call: not another function", CALL("__SCT__hook"), [0xe8, "other_function"], "static call"],
  ["static call: not a jump for a call", CALL("__SCT__hook"), [0xe9, "current_hook"], "static call"],

  ["alternative: as compiled", alternative([0x90, 0x90, 0x90], [0x0f, 0x01, 0xcb]), [0x90, 0x90, 0x90]],
  ["alternative: no-ops merged", alternative([0x90, 0x90, 0x90], [0x0f, 0x01, 0xcb]), [0x0f, 0x1f, 0x00]],
  ["alternative: the replacement", alternative([0x90, 0x90, 0x90], [0x0f, 0x01, 0xcb]), [0x0f, 0x01, 0xcb]],
  ["alternative: shorter replacement, padded", alternative([0x31, 0xc9, 0x31, 0xd2], [0x31, 0xc9]), [0x31, 0xc9, 0x66, 0x90]],
  ["alternative: replaced by nothing", alternative([0x31, 0xc9, 0x31, 0xd2], []), [0x0f, 0x1f, 0x40, 0x00]],
  [
    "alternative: a replaced call, its target kept",
    alternative([0x90, 0x90, 0x90, 0x90, 0x90], [0xe8, 0, 0, 0, 0], { calls: [{ offset: 1, name: "helper" }] }),
    [0xe8, "helper"],
  ],
  [
    "alternative: not a call of another function",
    alternative([0x90, 0x90, 0x90, 0x90, 0x90], [0xe8, 0, 0, 0, 0], { calls: [{ offset: 1, name: "helper" }] }),
    [0xe8, "other_function"],
    "alternative",
  ],
  ["alternative: not something else", alternative([0x90, 0x90, 0x90], [0x0f, 0x01, 0xcb]), [0x0f, 0x01, 0xca], "alternative"],
  [
    "alternative: direct call of what pv_ops holds",
    alternative(CALL_PV, [0xe8, 0, 0, 0, 0], { ...PV, entrySize: 14, flags: 2, calls: [{ offset: 1, name: "helper" }] }),
    [0xe8, "native_op", 0x90],
  ],
  ["alternative: indirect call kept", alternative(CALL_PV, [0xfa], PV), [0xff, 0x15, "pv_ops"]],
  [
    "alternative: a long stretch of no-ops jumped over",
    alternative(new Array<number>(12).fill(0x90), [0x0f, 0x01, 0xcb], { entrySize: 14 }),
    [0xeb, 0x0a, ...new Array<number>(10).fill(0xcc)],
  ],

  ["paravirt: as compiled", paravirt(), [0xff, 0x15, "pv_ops"]],
  ["paravirt: a direct call", paravirt(), [0xe8, "native_op", 0x90]],
  ["paravirt: the operation itself", paravirt(), [0x9c, 0x58, 0x0f, 0x1f, 0x40, 0x00]],
  ["paravirt: nothing", paravirt(), [0x66, 0x0f, 0x1f, 0x44, 0, 0]],
  ["paravirt: not another instruction", paravirt(), [0x9d, 0x58, 0x0f, 0x1f, 0x40, 0x00], "paravirt call"],

  ["lock prefix: kept", lock([0xf0, 0xff, 0x07]), [0xf0, 0xff, 0x07]],
  ["lock prefix: a ds prefix on one processor", lock([0xf0, 0xff, 0x07]), [0x3e, 0xff, 0x07]],
  ["lock prefix: not another one", lock([0xf0, 0xff, 0x07]), [0xf2, 0xff, 0x07], "lock prefix"],
  ["lock prefix: behind another prefix that the table points at, kept", lock([0x66, 0xf0, 0xff, 0x07]), [0x66, 0xf0, 0xff, 0x07]],

  ["jump label: a no-op", jumpLabel([0x0f, 0x1f, 0x44, 0, 0]), NOP5],
  ["jump label: a jump to its target", jumpLabel([0x0f, 0x1f, 0x44, 0, 0]), [0xe9, 0, 0, 0, 0]],
  ["jump label: nopped at link time", jumpLabel([0xe9, 0, 0, 0, 0]), NOP5],
  ["jump label: a short one", jumpLabel([0xeb, 0x00]), [0x66, 0x90]],
  ["jump label: not a jump elsewhere", jumpLabel([0x0f, 0x1f, 0x44, 0, 0]), [0xe9, 1, 0, 0, 0], `where the source says ${FUNC}+0x7`],
];

describe("what may stand at a patch site", () => {
  it.each(CASES.map(([name, site, live, wrong]) => ({ name, site, live, wrong })))("$name", ({ site, live, wrong }) => {
    expect(verdict(site, live)).toMatch(wrong === undefined ? /^matched$/ : new RegExp(wrong.replaceAll("+", "\\+")));
  });
});

describe("the start of a function with indirect branch tracking", () => {
  const bytes = [0xf3, 0x0f, 0x1e, 0xfa, 0xc3, 0xcc];
  it.each([
    ["endbr64", [0xf3, 0x0f, 0x1e, 0xfa], "matched"],
    ["a sealed one", [0x66, 0x0f, 0x1f, 0x00], "matched"],
    ["not another no-op", [0x0f, 0x1f, 0x40, 0x00], "mismatch"],
  ])("may be %s", (_name, start, expected) => {
    const text = makeSection(".text.func", bytes, CODE);
    const kernel = new FakeKernel();
    kernel.define(FUNC, ADDR);
    kernel.place(ADDR, [...start, 0xc3, 0xcc, ...new Array<number>(80).fill(0xcc)]);
    expect(matchUnit(makeObject([text], [makeFunction(FUNC, text)]), { path: "unit.o", target: "vmlinux" }, kernel).kind).toBe(expected);
  });
});

describe("where the trampoline goes", () => {
  const body = [0x89, 0xf8, 0x01, 0xc0, 0x01, 0xc8, 0xc3, 0xcc];
  const fentry = [0xe8, 0, 0, 0, 0];
  const locked = [0xf0, 0x80, 0x67, 0x08, 0xfb, 0xc3];
  function siteOf(
    bytes: readonly number[],
    live: readonly number[],
    next = 16n,
    withLabelAt?: number,
    withLockAt?: number,
    addr = ADDR,
    hasFtrace = false,
  ): number | string | undefined {
    const text = makeSection(".text.func", bytes, CODE);
    const symbol = makeFunction(FUNC, text);
    const call = bytes.indexOf(0xe8);
    if (call >= 0) text.relocations.push(pc32(call + 1, makeUndefined("__fentry__")));
    const sections = [text];
    if (withLabelAt !== undefined) {
      const table = makeSection("__jump_table", new Uint8Array(16));
      table.relocations.push(
        { offset: 0, type: R_X86_64_PC32, symbol, addend: withLabelAt },
        { offset: 4, type: R_X86_64_PC32, symbol, addend: 0 },
      );
      sections.push(table);
    }
    if (withLockAt !== undefined) sections.push(...(lock([]).tables?.(text, symbol, withLockAt) ?? []));
    const kernel = new FakeKernel();
    kernel.define("__fentry__", ADDR + 0x1000n);
    kernel.define(FUNC, addr);
    kernel.place(addr, [...live, ...new Array<number>(80).fill(0xcc)]);
    kernel.define("next", addr + next);
    if (hasFtrace) for (const name of ["register_ftrace_function", "ftrace_set_filter_ip"]) kernel.define(name, ADDR + 0x2000n);
    const match = matchUnit(makeObject(sections, [symbol]), { path: "unit.o", target: "vmlinux" }, kernel);
    if (match.kind !== "matched") throw new Error(match.mismatches[0]?.reason);
    const site = match.functions.get(FUNC)?.site;
    if (site === undefined) return undefined;
    expect(site.bytes.length).toBe(site.kind === "jump" ? 5 : 0);
    return site.kind === "jump" ? site.offset : `ftrace ${site.offset}`;
  }
  const endbr = [0xf3, 0x0f, 0x1e, 0xfa];

  it.each([
    ["at the start of a function without ftrace call", siteOf(body, body), 0],
    ["behind the ftrace call", siteOf([...fentry, ...body], [...NOP5, ...body]), 5],
    ["behind endbr64 and the ftrace call", siteOf([...endbr, ...fentry, 0x31, 0xc0, 0xc3], [...endbr, ...NOP5, 0x31, 0xc0, 0xc3]), 9],
    ["into the padding of a short function", siteOf([...fentry, 0xc3], [...NOP5, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc]), 5],
    ["into padding that is one long no-op", siteOf([...fentry, 0xc3], [...NOP5, 0xc3, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0]), 5],
    ["nowhere if the next function is too near", siteOf([...fentry, 0xc3], [...NOP5, 0xc3], 8n), undefined],
    [
      "nowhere if a jump label stands there",
      siteOf([...fentry, ...NOP5, ...body.slice(0, 6)], [...NOP5, ...NOP5, ...body.slice(0, 6)], 16n, 5),
      undefined,
    ],
    [
      "nowhere if it would lie across 16 bytes",
      siteOf([...fentry, ...body], [...NOP5, ...body], 32n, undefined, undefined, ADDR + 8n),
      undefined,
    ],
    ["over a lock prefix that is there to stay", siteOf([...fentry, ...locked], [...NOP5, ...locked], 16n, undefined, 5), 5],
    [
      "nowhere if a lock prefix was taken out, on one processor",
      siteOf([...fentry, ...locked], [...NOP5, 0x3e, ...locked.slice(1)], 16n, undefined, 5),
      undefined,
    ],
  ])("%s", (_name, offset, expected) => {
    expect(offset).toBe(expected);
  });

  const onFtrace = (bytes: readonly number[], live: readonly number[], label?: number, addr = ADDR, next = 32n) =>
    siteOf(bytes, live, next, label, undefined, addr, true);
  const labelled = [...NOP5, ...body.slice(0, 6)];
  it.each([
    ["at its call where a jump label stands behind it", onFtrace([...fentry, ...labelled], [...NOP5, ...labelled], 5), "ftrace 5"],
    ["behind endbr64", onFtrace([...endbr, ...fentry, ...labelled], [...endbr, ...NOP5, ...labelled], 9), "ftrace 9"],
    ["where a jump would lie across 16 bytes", onFtrace([...fentry, ...body], [...NOP5, ...body], undefined, ADDR + 8n), "ftrace 5"],
    ["where the next function is too near", onFtrace([...fentry, 0xc3], [...NOP5, 0xc3], undefined, ADDR, 8n), "ftrace 5"],
    ["not where there is room for a jump", onFtrace([...fentry, ...body], [...NOP5, ...body]), 5],
    ["not without a call of it", onFtrace(labelled, labelled, 0), undefined],
  ])("or ftrace redirects, %s", (_name, site, expected) => {
    expect(site).toBe(expected);
  });
});
