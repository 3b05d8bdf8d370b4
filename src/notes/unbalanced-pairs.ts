import type { FileChange, FunctionChange } from "./changed-functions.js";
import { effectiveFunctions, type EffectiveFunction } from "./effective-calls.js";
import { findCalls, type Call } from "./find-calls.js";
import { isBeginning, isConstructor, isDestructor, isSystemSleep } from "./function-names.js";
import { isLock, isMemory, pairUses } from "./pair-table.js";
import { readTables } from "./read-tables.js";
import type { SemanticNote } from "./types.js";

/** What a function does to a pair on one side: how often it takes and gives back, and where first. */
interface Balance {
  readonly acquire: number;
  readonly release: number;
  readonly acquireCall?: Call;
  readonly releaseCall?: Call;
}

const NOTHING: Balance = { acquire: 0, release: 0 };

interface Use {
  readonly change: FunctionChange;
  readonly pre: Balance;
  readonly post: Balance;
}

/**
 * Notes pairs of calls that the patch puts into, or takes out of, different functions: one takes, the other gives back, and at least one of the
 * two does not do both. What passed one in its old version meets the other in its new one. A pair that begins and ends in one function is
 * no matter: no thread is inside while it is replaced. Neither is a single call that is added where another was missing. Two functions are
 * told of once: most often a pair is wrapped in another.
 */
export function noteUnbalancedPairs(files: readonly FileChange[]): SemanticNote[] {
  const changes = files.flatMap(({ functions }) => functions);
  const inTables = findInTables(files);
  const isReached = ({ change }: Use): boolean => change.pre !== undefined || inTables.has(change.name);
  const uses = new Map<string, Use[]>();
  for (const entry of effectiveFunctions(changes))
    for (const [key, use] of balancesOf(entry)) uses.set(key, [...(uses.get(key) ?? []), use]);
  // Only new code leads to what is new, unless it stands in a table that objects have already; where both are gone, the whole is.
  const added = [...uses]
    .flatMap(([key, list]) => findSplit(key, list, (use) => use))
    .filter(({ taker, giver }) => isReached(taker) && isReached(giver));
  const dropped = [...uses]
    .flatMap(([key, list]) => findSplit(key, list, ({ pre, post }) => ({ pre: post, post: pre })))
    .filter(({ taker, giver }) => (taker.change.post ?? giver.change.post) !== undefined);
  // One pair gone and another come in the same function is the same pair by another name, unless it is memory, or both are locks that are known.
  const isRenamed = (split: Split, others: readonly Split[]): boolean =>
    !isMemory(split.key) && others.some((other) => meets(split, other) && !(isLock(split.key) && isLock(other.key)));
  const notes = new Map<string, SemanticNote>();
  const put = (split: Split, note: SemanticNote | undefined): void => {
    const between = `${split.taker.change.name} ${split.giver.change.name}`;
    if (note !== undefined && !notes.has(between)) notes.set(between, note);
  };
  for (const split of added) if (!isRenamed(split, dropped)) put(split, noteAdded(split));
  for (const split of dropped) if (!isRenamed(split, added)) put(split, noteDropped(split));
  return [...notes.values()];
}

/** Names in the initial values of variables that were there before the patch, and had one: tables of operations that objects which are alive go by. */
function findInTables(files: readonly FileChange[]): ReadonlySet<string> {
  return new Set(
    files.flatMap(({ pre, post }) => {
      const before = readTables(pre.fileLevel);
      return [...readTables(post.fileLevel)].flatMap(([name, { value }]) => (before.has(name) ? (value.match(/\w+/g) ?? []) : []));
    }),
  );
}

/** A pair of which one function gains the one half, another the other. */
interface Split {
  readonly key: string;
  readonly taker: Use;
  readonly giver: Use;
}

function meets(a: Split, b: Split): boolean {
  return a.taker.change === b.taker.change || a.giver.change === b.giver.change;
}

function balancesOf(entry: EffectiveFunction): Map<string, Use> {
  const pre = countUses(entry.pre);
  const post = countUses(entry.post);
  const keys = new Set([...pre.keys(), ...post.keys()]);
  return new Map([...keys].map((key) => [key, { change: entry.change, pre: pre.get(key) ?? NOTHING, post: post.get(key) ?? NOTHING }]));
}

function countUses(calls: readonly Call[]): Map<string, Balance> {
  const balances = new Map<string, Balance>();
  for (const call of calls)
    for (const { role, key } of pairUses(call)) {
      const before = balances.get(key) ?? NOTHING;
      balances.set(
        key,
        role === "acquire"
          ? { ...before, acquire: before.acquire + 1, acquireCall: before.acquireCall ?? call }
          : { ...before, release: before.release + 1, releaseCall: before.releaseCall ?? call },
      );
    }
  return balances;
}

function noteAdded({ key, taker, giver }: Split): SemanticNote | undefined {
  const [take, give] = [taker.post.acquireCall, giver.post.releaseCall];
  if (take === undefined || give === undefined) return undefined;
  return {
    kind: "unbalanced-pair",
    function: giver.change.name,
    file: giver.change.file,
    line: give.line,
    message: `${taker.change.name} newly calls ${spell(take)}, and ${giver.change.name} ${spell(give)} (${key}): what passed ${taker.change.name} before the update ${isMemory(key) ? "has no such memory, or that of another allocator" : "would be given back without having been taken"}, and undoing the update leaves taken what passed it since`,
  };
}

function noteDropped({ key, taker, giver }: Split): SemanticNote | undefined {
  const [take, give] = [taker.pre.acquireCall, giver.pre.releaseCall];
  if (take === undefined || give === undefined) return undefined;
  return {
    kind: "unbalanced-pair",
    function: giver.change.name,
    file: giver.change.file,
    line: giver.change.post?.line ?? give.line,
    message: `${taker.change.name} no longer calls ${spell(take)}, nor ${giver.change.name} ${spell(give)} (${key}): what passed ${taker.change.name} before the update would not be given back, and undoing the update gives back what was not taken`,
  };
}

/** Two functions that gain the two halves of a pair: the first that are not shown to run one after the other. */
function findSplit(key: string, uses: readonly Use[], turn: (use: Use) => Pick<Use, "pre" | "post">): Split[] {
  const takers = uses.filter((use) => turn(use).pre.acquire === 0 && turn(use).post.acquire > 0);
  const givers = uses.filter((use) => turn(use).pre.release === 0 && turn(use).post.release > 0);
  for (const taker of takers)
    for (const giver of givers) {
      // One that gives back itself does so when it fails, if it begins something; else it takes for a moment only.
      const takes = turn(taker).post.release === 0 || isBeginning(taker.change.name);
      const isOneSided = takes && (turn(taker).post.release === 0 || turn(giver).post.acquire === 0);
      if (giver !== taker && isOneSided && mayBeFarApart(taker.change, giver.change)) return [{ key, taker, giver }];
    }
  return [];
}

/** False where a thread goes from one to the other, or an object cannot: made by the giver, taken apart by the taker. */
function mayBeFarApart(taker: FunctionChange, giver: FunctionChange): boolean {
  if (calls(taker, giver) || calls(giver, taker)) return false;
  if (isSystemSleep(taker.name) && isSystemSleep(giver.name)) return false;
  return !isDestructor(taker.name) && !isConstructor(giver.name);
}

function calls({ pre, post }: FunctionChange, { name }: FunctionChange): boolean {
  return [pre, post].some((text) => text !== undefined && findCalls(text).some(({ callee }) => callee === name));
}

function spell({ callee, args }: Call): string {
  const shown = args.join(", ");
  return `${callee}(${shown.length > 40 ? "…" : shown})`;
}
