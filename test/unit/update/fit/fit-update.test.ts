import { tellNobody } from "../../../../src/events.js";
import { KSPLICE_ABI } from "../../../../src/engine/core/part-section.js";
import { describe, expect, it } from "vitest";
import type { KernelFacts } from "../../../../src/kernel/live/kernel-facts.js";
import { fitUpdate } from "../../../../src/update/fit/fit-update.js";
import { matchUpdate, refusalOf } from "../../../../src/update/match/match-update.js";
import { makeUpdate } from "../../../../src/update/file/update-file.js";
import { asLive, sampleKernel, sampleUpdate, UNIT_SOURCE, type SampleOptions } from "../../../support/sample-fit.js";

const applied = (id: string, stage: string): Partial<KernelFacts> => ({ updates: [{ id, stage, functions: [], writtenTargets: [] }] });
const withoutModule: Partial<KernelFacts> = { modules: [], moduleSections: () => undefined };
const otherSource = UNIT_SOURCE.replace("counter * 3", "counter * 5");

interface Case {
  readonly update?: SampleOptions;
  readonly facts?: Partial<KernelFacts>;
  readonly source?: string;
  readonly partial?: boolean;
  /** Symbols that the kernel has besides: name, letter, module. */
  readonly symbols?: readonly (readonly [string, string, string?])[];
  readonly kind?: string;
  /** The refusal's code and some of its words; undefined if the update fits. */
  readonly refused?: readonly [string, RegExp];
  readonly imports?: number;
}

describe("an update", () => {
  it.each<[string, Case]>([
    ["fits its kernel", { imports: 2 }],
    ["fits with an earlier update applied", { facts: applied("earlier", "applied"), imports: 2 }],
    ["fits where it was undone and is still loaded", { facts: applied("fix", "reversed"), imports: 2 }],
    ["fits where the core is loaded", { facts: { coreVersion: KSPLICE_ABI }, imports: 2 }],
    [
      "does not fit another release",
      { facts: { release: "6.1.0-48-amd64" }, kind: "wrong-kernel", refused: ["wrong-kernel", /6\.1\.0-48-amd64/] },
    ],
    ["does not fit another build", { facts: { buildId: "00" }, kind: "wrong-kernel", refused: ["wrong-kernel", /build id/] }],
    ["does not fit another architecture", { facts: { machine: "i686" }, kind: "wrong-kernel", refused: ["wrong-kernel", /architecture/] }],
    [
      "does not fit where it is applied",
      { facts: applied("fix", "applied"), kind: "already-applied", refused: ["already-applied", /fix/] },
    ],
    ["does not fit other code", { source: otherSource, kind: "mismatch", refused: ["no-match", /kernel\/unit\.o.*\n.*entry\+/] }],
    ["does not fit where a module is not loaded", { facts: withoutModule, imports: 1, refused: ["target-not-loaded", /module mod/] }],
    ["fits then what is loaded", { facts: withoutModule, partial: true, imports: 1 }],
    [
      "does not fit where none of it is loaded",
      {
        update: { targets: ["mod"] },
        facts: withoutModule,
        partial: true,
        kind: "target-not-loaded",
        refused: ["target-not-loaded", /none of the modules/],
      },
    ],
    ["says of other code first", { facts: withoutModule, source: otherSource, kind: "mismatch", refused: ["no-match", /unit\.o/] }],
    ["does not fit where a symbol is missing", { update: { calls: ["absent"] }, refused: ["unresolved-symbol", /absent/] }],
    [
      "does not fit where a symbol is ambiguous",
      {
        update: { calls: ["twice"] },
        symbols: [
          ["twice", "t"],
          ["twice", "t"],
        ],
        refused: ["unresolved-symbol", /2 symbols/],
      },
    ],
    [
      "does not fit where nothing exports what the loader is to find",
      {
        update: { calls: ["theirs"], exported: ["theirs"] },
        symbols: [["theirs", "t"]],
        imports: 0,
        refused: ["unresolved-symbol", /exports it/],
      },
    ],
    [
      "leaves exported symbols to the loader",
      { update: { calls: ["theirs"], exported: ["theirs"] }, symbols: [["theirs", "T", "other"]], imports: 3 },
    ],
    ["does not fit another core", { facts: { coreVersion: 9 }, imports: 2, refused: ["core-version", /9/] }],
  ])("%s", (_, { update, facts, source, partial = false, symbols = [], kind = "matched", refused, imports }) => {
    const kernel = sampleKernel(source);
    symbols.forEach(([name, type, module], index) => {
      kernel.define(name, 0xffffffff82100000n + BigInt(index) * 16n, type, module);
    });
    const fit = fitUpdate(sampleUpdate(update), asLive(kernel, facts), { partial, tell: tellNobody });
    expect(fit.match.kind).toBe(kind);
    expect(fit.refusal?.code).toBe(refused?.[0]);
    if (refused !== undefined) expect(fit.refusal?.message).toMatch(refused[1]);
    if (imports !== undefined) expect(fit.imports).toBe(imports);
  });

  it.each(["pre/kernel/unit.o", "new/vmlinux.ko", "ksplice.ko"])("is not judged by an object that is none: %s", (path) => {
    const update = sampleUpdate();
    const broken = makeUpdate(update.manifest, new Map([...update.files, [path, new Uint8Array(10)]]));
    expect(() => fitUpdate(broken, asLive(sampleKernel()), { partial: false, tell: tellNobody })).toThrow(
      expect.objectContaining({ code: "bad-update" }) as Error,
    );
  });
});

it("that holds callbacks with all who use them fits with all of its modules only", () => {
  const update = sampleUpdate();
  const whole = { ...update, manifest: { ...update.manifest, together: ["struct ops.show"] } };
  const { refusal } = fitUpdate(whole, asLive(sampleKernel(), withoutModule), { partial: true, tell: tellNobody });
  expect(refusal).toMatchObject({ code: "target-not-loaded", hint: expect.stringContaining("callbacks") as unknown });
});

describe("matching an update", () => {
  it("says what became of each unit", () => {
    const match = matchUpdate(sampleUpdate(), asLive(sampleKernel(otherSource)), { partial: false, tell: tellNobody });
    if (match.kind !== "mismatch") throw new Error(match.kind);
    expect(match.units.map(({ path, target, match: { kind } }) => [path, target, kind])).toEqual([
      ["kernel/unit.o", "vmlinux", "mismatch"],
      ["drivers/mod.o", "mod", "matched"],
    ]);
    expect(match.mismatches[0]).toMatchObject({ function: "entry", reason: "the instructions differ" });
    expect(refusalOf(match)).toMatchObject({ code: "no-match", location: "kernel/unit.o" });
  });

  it("stops at a module that is not loaded, unless the rest is asked for", () => {
    const kernel = asLive(sampleKernel(), withoutModule);
    const match = (partial: boolean): unknown => matchUpdate(sampleUpdate(), kernel, { partial, tell: tellNobody });
    expect(match(false)).toEqual({ kind: "target-not-loaded", target: "mod", skippedTargets: ["mod"], isWhole: false });
    expect(match(true)).toMatchObject({ kind: "matched", skippedTargets: ["mod"], targets: [{ name: "vmlinux" }] });
  });
});
