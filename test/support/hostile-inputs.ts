import fc from "fast-check";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Refusal } from "../../src/diagnostics.js";
import { diffObjects } from "../../src/diff/diff-objects.js";
import { readingFiles } from "../../src/cli/read-object.js";
import type { ElfObject } from "../../src/elf/model.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { writeObject } from "../../src/elf/write-object.js";
import { tellNobody } from "../../src/events.js";
import type { LiveKernel } from "../../src/kernel/live/live-kernel.js";
import { parseKallsyms } from "../../src/kernel/kallsyms.js";
import { openSnapshot } from "../../src/kernel/snapshot/open-snapshot.js";
import { packArchive } from "../../src/update/file/archive.js";
import { MANIFEST_FILE, makeUpdate, openUpdateBytes, packUpdate, type Update } from "../../src/update/file/update-file.js";
import { fitUpdate } from "../../src/update/fit/fit-update.js";
import { verifyUpdate } from "../../src/update/verify/verify-update.js";
import { applySample } from "./applied-sample.js";
import { compileObject } from "./compile-object.js";
import { mutate, mutations, place } from "./mutate.js";
import { asLive, sampleKernel, sampleUpdate, writeSnapshot } from "./sample-fit.js";

/** Files that come from somebody else, changed at random, and all that is done with them before anything is loaded. */
export interface HostileInput {
  readonly name: string;
  /** Holds as long as only refusals come out, and soon. */
  readonly property: fc.IAsyncProperty<unknown>;
  /** Uses it as it is: were that refused, nothing would be tried. */
  readonly useUnchanged: () => Promise<void>;
  /** Of the inputs so far: a change may do no harm. */
  readonly outcomes: { readonly taken: number; readonly refused: number };
}

/** For one input, of a machine under load. What is bounded takes some milliseconds. */
const LONGEST_MS = 5000;

/** That an update does not fit is a value, and a refusal for whoever applies it. */
function requireFit(update: Update, kernel: LiveKernel): void {
  const { refusal } = fitUpdate(update, kernel, { partial: true, tell: tellNobody });
  if (refusal !== undefined) throw refusal;
}

/** Tables, strings, variables of all kinds, and one of each kind of symbol. */
const MANY_KINDS = `
extern int other(int); extern int printk(const char *, ...);
static int counter; int shared = 3; const int constant[4] = { 1, 2, 3, 4 }; int common_one;
static __attribute__((noinline)) int helper(int x)
{ switch (x) { case 1: return other(5); case 2: return other(9); case 3: return 77; case 4: return other(x); case 5: return 9; default: return counter++; } }
int entry(int x) { static const char *names[] = { "a", "b" }; printk("%s", names[x]); return helper(x) + shared + constant[x & 3]; }
int weak_one(void) __attribute__((weak)); int weak_one(void) { return common_one; }
__attribute__((cold)) int seldom(void) { return other(1) + helper(2); }
int (*table[])(int) = { entry, helper };
`;

/** @param workDir of the caller's; what is in it may be overwritten */
export async function hostileInputs(workDir: string): Promise<HostileInput[]> {
  const update = sampleUpdate();
  const tarball = await packUpdate(update);
  const kernel = asLive(sampleKernel());
  const applied = applySample([
    {
      path: "kernel/unit.o",
      pre: "extern int printk(const char *, ...);\nint entry(int x) { return x + 1000; }\nint caller(int x) { return entry(x) * 3; }",
      post: 'extern int printk(const char *, ...);\nstatic int seen;\nint entry(int x) { seen++; printk("x"); return x + 2000; }\nint caller(int x) { return entry(x) * 3; }',
      brought: ["entry", "seen"],
    },
  ]);
  const snapshot = join(workDir, "snapshot");
  writeSnapshot(snapshot, sampleKernel());
  const snapshotBytes = new Uint8Array(readFileSync(snapshot));
  const kallsyms = new TextEncoder().encode(
    "ffffffff81000000 T _text\nffffffff81000010 t entry\nffffffff81000010 T alias\nffffffffc0100000 t entry.ksplice_a\t[mod]\n0000000000000000 A zero\n",
  );

  const compared = writeObject(compileObject(MANY_KINDS, "compared.o"));

  return [
    ofBytes("a tarball", tarball, async (bytes) => {
      requireFit(await openUpdateBytes(bytes, "u"), kernel);
    }),
    ofBytes("an archive", gunzipSync(tarball), async (bytes) => {
      requireFit(await openUpdateBytes(gzipSync(bytes, { level: 1 }), "u"), kernel);
    }),
    ofBytes("the text of a manifest", manifestOf(update), async (bytes) => {
      await useManifest(update, bytes, kernel);
    }),
    hostile("the values of a manifest", replacements, [], async (changes) => {
      await useManifest(update, new TextEncoder().encode(JSON.stringify(replaceLeaves(update.manifest, changes))), kernel);
    }),
    ofFiles("objects of an update", update, (changed) => {
      requireFit(changed, kernel);
    }),
    ofFiles("objects of an update that is verified", applied.update, (changed) => {
      verifyUpdate(changed, applied.kernel);
    }),
    ofBytes("an object that is compared", compared, (bytes) => {
      const parse = (of: Uint8Array, name: string): ElfObject => readingFiles(() => parseObject(of, name));
      readingFiles(() => diffObjects(parse(bytes, "hostile"), parse(compared, "good")));
      readingFiles(() => diffObjects(parse(compared, "good"), parse(bytes, "hostile")));
    }),
    ofBytes("a snapshot", snapshotBytes, (bytes) => {
      const file = join(workDir, "hostile");
      writeFileSync(file, bytes);
      const opened = openSnapshot(file);
      try {
        requireFit(update, opened);
      } finally {
        opened.close();
      }
    }),
    ofBytes("the text of kallsyms", kallsyms, (bytes) => {
      const table = parseKallsyms(bytes);
      for (const addr of table.sortedAddrs()) table.at(addr);
      for (const name of ["entry", "alias", "", "zero"]) table.named(name);
    }),
  ];
}

function hostile<T>(name: string, arbitrary: fc.Arbitrary<T>, none: T, use: (value: T) => Promise<void> | void): HostileInput {
  const outcomes = { taken: 0, refused: 0 };
  const property = fc.asyncProperty(arbitrary, async (value) => {
    const started = performance.now();
    try {
      await use(value);
      outcomes.taken++;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcomes.refused++;
    }
    const milliseconds = performance.now() - started;
    if (milliseconds > LONGEST_MS) throw new Error(`it took ${milliseconds.toFixed(0)} ms`);
  });
  const useUnchanged = async (): Promise<void> => {
    await use(none);
  };
  return { name, property, useUnchanged, outcomes };
}

function ofBytes(name: string, good: Uint8Array, use: (bytes: Uint8Array) => Promise<void> | void): HostileInput {
  return hostile(name, mutations, [], async (changes) => {
    await use(mutate(good, changes));
  });
}

/** One of the update's files is changed, and the manifest has the hash of what came of it: whoever makes an update makes both. */
function ofFiles(name: string, update: Update, use: (changed: Update) => void): HostileInput {
  const paths = [...update.files].filter(([, bytes]) => bytes.length > 0).map(([path]) => path);
  return hostile(name, fc.tuple(fc.constantFrom(...paths), mutations), ["", []], ([path, changes]) => {
    const good = update.files.get(path);
    const files = new Map([...update.files, ...(good === undefined ? [] : [[path, mutate(good, changes)] as const])]);
    use(makeUpdate(update.manifest, files));
  });
}

function manifestOf(update: Update): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(update.manifest, null, 2)}\n`);
}

async function useManifest(update: Update, manifest: Uint8Array, kernel: LiveKernel): Promise<void> {
  const packed = await packArchive(`ksplice-${update.manifest.id}`, new Map([...update.files, [MANIFEST_FILE, manifest]]));
  requireFit(await openUpdateBytes(packed, "u"), kernel);
}

interface Replacement {
  /** Of all values in the tree, as a part of their number. */
  readonly at: number;
  readonly value: unknown;
}

const replacements: fc.Arbitrary<Replacement[]> = fc.array(
  fc.record({
    at: place,
    value: fc.oneof(
      fc.constantFrom<unknown>(null, true, -1, 0, 0.5, 2 ** 31, 2 ** 53, 1e308, "", ".", "..", "../x", "/etc/passwd", "\u001b[2J", "a\0b"),
      fc.constantFrom<unknown>(
        [],
        {},
        [[]],
        "__proto__",
        "constructor",
        "x".repeat(100_000),
        "vmlinux",
        "mod",
        "entry",
        "printk",
        "kernel/unit.o",
      ),
      fc.string(),
      fc.integer(),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Values of a JSON tree, the tree's own objects and lists among them, replaced. */
function replaceLeaves(tree: unknown, changes: readonly Replacement[]): unknown {
  return changes.reduce<unknown>((current, { at, value }) => {
    const count = countValues(current);
    return replaceValue(current, { left: Math.floor(at * count) }, value);
  }, tree);
}

function countValues(value: unknown): number {
  return childrenOf(value).reduce<number>((sum, child) => sum + countValues(child), 1);
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function replaceValue(value: unknown, position: { left: number }, replacement: unknown): unknown {
  if (position.left-- === 0) return replacement;
  if (Array.isArray(value)) return value.map((child) => replaceValue(child, position, replacement));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replaceValue(child, position, replacement)]));
}
