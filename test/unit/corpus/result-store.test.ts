import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findFixes, type FixSet } from "../../../corpus/fixes/find-fixes.js";
import type { CreatedFix } from "../../../corpus/judge-fix.js";
import { ResultStore } from "../../../corpus/result-store.js";
import type { FixResult } from "../../../corpus/types.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();
let count = 0;

const body = (name: string, value: number): string => `int ${name}(void)\n{\n\treturn ${value};\n}\n`;
const from = `${body("a", 1)}\n${body("b", 1)}\n${body("c", 1)}`;

/** A release in which the functions give other values. */
async function release(a: number, b: number, c: number): Promise<FixSet> {
  const [fromTree, toTree] = [join(top, `${++count}`, "from"), join(top, `${count}`, "to")];
  writeFiles(fromTree, { "net/x.c": from });
  writeFiles(toTree, { "net/x.c": `${body("a", a)}\n${body("b", b)}\n${body("c", c)}` });
  return await findFixes({ fromTree, toTree }, () => undefined);
}

const set = { from: "1", to: "2", release: "r", fromTree: "", toTree: "" };

async function open(found: FixSet, more: { program?: string; mostUnits?: number; from?: string } = {}): Promise<ResultStore> {
  const key = { set: { ...set, from: more.from ?? set.from }, mostUnits: more.mostUnits };
  return await ResultStore.open(key, join(top, "cache"), found, more.program ?? "program");
}

function refused(found: FixSet, index: number, companions: readonly number[] = []): CreatedFix {
  const taken = [index, ...companions].flatMap((at) => found.fixes[at] ?? []);
  const [fix] = taken;
  if (fix === undefined) throw new Error("there is no such fix");
  const result: FixResult = {
    fix: fix.name,
    files: ["net/x.c"],
    pieces: 1,
    verdict: "refused",
    code: "changed-data",
    reason: "why",
    companions: taken.slice(1).map(({ name }) => name),
    changed: [],
    added: [],
    removed: [],
    data: [],
    notes: [],
    milliseconds: { create: 1, match: 0 },
  };
  return { result, taken, update: undefined };
}

/** What the store knows of each fix of a release: its name, or nothing. */
async function known(store: ResultStore, { fixes }: FixSet): Promise<(string | undefined)[]> {
  return await Promise.all(fixes.map(async (fix) => (await store.find(fix))?.result.fix));
}

describe("results that are there already", () => {
  it("are those of the same fix, whatever else the release does", async () => {
    const found = await release(1, 2, 3);
    const [, second] = found.fixes;
    if (second === undefined) throw new Error("two fixes are expected");
    const store = await open(found);
    await store.store(second, "created", refused(found, 1));
    expect(await known(store, found)).toEqual([undefined, "net/x.c#1"]);
    expect((await store.find(second))?.stage).toBe("created");

    // One fix more, and another number for this one.
    const more = await release(7, 2, 3);
    expect(await known(await open(more), more)).toEqual([undefined, undefined, "net/x.c#2"]);
    const other = await release(1, 2, 4);
    expect(await known(await open(other), other)).toEqual([undefined, undefined]);
  });

  it.each([
    ["another program", { program: "other" }],
    ["another limit for headers", { mostUnits: 7 }],
    ["another kernel's source", { from: "0" }],
  ])("count for nothing with %s", async (_, more) => {
    const found = await release(5, 1, 1);
    const [fix] = found.fixes;
    if (fix === undefined) throw new Error("a fix is expected");
    await (await open(found)).store(fix, "matched", refused(found, 0));
    expect(await known(await open(found), found)).toEqual(["net/x.c#0"]);
    expect(await known(await open(found, more), found)).toEqual([undefined]);
  });

  it("count only with the same text of the fixes that were needed besides", async () => {
    const found = await release(1, 20, 30);
    const [fix] = found.fixes;
    if (fix === undefined) throw new Error("a fix is expected");
    await (await open(found)).store(fix, "created", refused(found, 0, [1]));
    expect(await known(await open(found), found)).toEqual(["net/x.c#0", undefined]);
    const changed = await release(1, 20, 31);
    expect(await known(await open(changed), changed)).toEqual([undefined, undefined]);
    const gone = await release(1, 20, 1);
    expect(await known(await open(gone), gone)).toEqual([undefined]);
  });

  it("of a fix that lacks something count only where the rest of the release is the same", async () => {
    const found = await release(1, 40, 40);
    const [fix] = found.fixes;
    if (fix === undefined) throw new Error("a fix is expected");
    const { result, ...rest } = refused(found, 0);
    await (await open(found)).store(fix, "created", { ...rest, result: { ...result, verdict: "not alone" } });
    expect(await known(await open(found), found)).toEqual(["net/x.c#0", undefined]);
    const more = await release(1, 40, 41);
    expect(await known(await open(more), more)).toEqual([undefined, undefined]);
  });

  it("of an update count only with the update", async () => {
    const found = await release(1, 1, 9);
    const [fix] = found.fixes;
    if (fix === undefined) throw new Error("a fix is expected");
    const { result, ...rest } = refused(found, 0);
    const store = await open(found);
    await store.store(fix, "created", { ...rest, result: { ...result, verdict: "update" } });
    expect(await store.find(fix)).toBeUndefined();
    await expect(store.requireUpdate(fix)).rejects.toThrow("there is no update of net/x.c#0");
  });
});
