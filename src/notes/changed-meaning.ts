import { tokensOf, type FileChange, type FunctionChange } from "./changed-functions.js";
import { findCalls, placeOf } from "./find-calls.js";
import { memoized } from "../memoized.js";
import { lineAt, type SourceFunction } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

/**
 * Notes members that hold the same type, and something else: the time of another clock, an error pointer or NULL for what is not there, a value that is converted when it is
 * stored instead of when it is read, a place of a netlink dump that is no pointer any more, a counter that begins with another
 * number, a queue at which who polls waits. Objects that are alive hold what the old code has put there.
 */
export function noteChangedMeanings(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap((file) => {
    const found = [
      ...otherClocks(file),
      ...otherNothing(file),
      ...movedConversions(file),
      ...dumpPlaces(file),
      ...otherBeginnings(file),
      ...otherQueues(file),
    ];
    const told = new Set<string>();
    return found.flatMap(({ member, user, what, harm }): SemanticNote[] => {
      if (told.has(member)) return [];
      told.add(member);
      const at = Math.max(0, user.body.search(new RegExp(`(?:->|\\.)\\s*${member}\\b`)));
      const message = `${member} ${what}: ${harm ?? "what objects that are alive hold in it is taken for something else, and after an undo what was put there since"}`;
      return [{ kind: "changed-meaning", function: user.name, file: file.path, line: lineAt(user.body, at, user.bodyLine), message }];
    });
  });
}

interface Meaning {
  readonly member: string;
  /** A function of the patched file. */
  readonly user: SourceFunction;
  readonly what: string;
  /** Where it is not that what is held is taken for something else. */
  readonly harm?: string;
}

/** Clocks by what they count; those of a name count the same. */
const CLOCKS: readonly (readonly [clock: string, calls: RegExp])[] = [
  ["jiffies", /\b(?:jiffies|jiffies_64|get_jiffies_64)\b/],
  ["ktime_get_seconds()", /\bktime_get_seconds\b/],
  ["ktime_get_real_seconds()", /\bktime_get_real_seconds\b/],
  ["ktime_get_boottime_seconds()", /\bktime_get_boottime_seconds\b/],
  ["ktime_get_real()", /\bktime_get_(?:coarse_)?real(?:_ns)?\b/],
  ["ktime_get_boottime()", /\bktime_get_(?:coarse_)?boottime(?:_ns)?\b/],
  ["ktime_get_raw()", /\bktime_get_raw(?:_ns)?\b/],
  ["ktime_get()", /\bktime_get(?:_coarse)?(?:_mono_fast)?(?:_ns)?\b/],
  ["sched_clock()", /\b(?:sched|local|cpu)_clock\b/],
  ["get_cycles()", /\b(?:get_cycles|rdtsc|rdtsc_ordered)\b/],
];

const INDEX = "(?: \\[ [^;[\\]]* \\])?";
const ASSIGNED = new RegExp(`(?:->|\\.) (\\w+)${INDEX} = (?!= )(.*)$`, "g");
const WRITTEN_ONCE = /\bWRITE_ONCE \( [^,]*(?:->|\.) (\w+) , (.*) \)$/g;

/** Characters; what is longer is looked at no further. */
const LONGEST_STATEMENT = 1000;

/** What stands between semicolons and braces, its tokens with a blank between two. */
const statementsOf = memoized(({ body }: SourceFunction): readonly string[] =>
  tokensOf(body)
    .split(/(?<= )[;{}](?= |$)/)
    .map((statement) => statement.trim())
    .filter(({ length }) => length > 0 && length <= LONGEST_STATEMENT),
);

/** All that a pattern finds in the statements of a function: its groups. */
function findIn(text: SourceFunction, pattern: RegExp): [first: string, second: string][] {
  return statementsOf(text).flatMap((statement) =>
    Array.from(statement.matchAll(pattern), ([, first = "", second = ""]): [string, string] => [first, second]),
  );
}

/** What a function puts into members: their names with the tokens of the value. */
const assignmentsIn = memoized((text: SourceFunction): readonly [member: string, value: string][] => [
  ...findIn(text, ASSIGNED),
  ...findIn(text, WRITTEN_ONCE),
]);

function otherClocks({ functions, pre, post }: FileChange): Meaning[] {
  const [before, after] = [clocksOf(pre.functions), clocksOf(post.functions)];
  return [...after].flatMap(([member, { clocks, user }]): Meaning[] => {
    const was = before.get(member)?.clocks;
    const isChanged = functions.some((change) => change.post?.name === user.name);
    if (was === undefined || !isChanged || [...clocks].some((clock) => was.has(clock))) return [];
    return [{ member, user, what: `is the time of ${[...clocks].join(", ")} with the patch, and of ${[...was].join(", ")} before` }];
  });
}

function clocksOf(functions: readonly SourceFunction[]): Map<string, { readonly clocks: Set<string>; readonly user: SourceFunction }> {
  const found = new Map<string, { readonly clocks: Set<string>; readonly user: SourceFunction }>();
  for (const user of functions)
    for (const [member, value] of assignmentsIn(user)) {
      const clocks = CLOCKS.filter(([, calls]) => calls.test(value)).map(([clock]) => clock);
      const known = found.get(member) ?? { clocks: new Set<string>(), user };
      for (const clock of clocks) known.clocks.add(clock);
      if (known.clocks.size > 0) found.set(member, known);
    }
  return found;
}

const CHAIN = `(?:\\w+${INDEX} (?:->|\\.) )+`;
const ERROR_TEST = new RegExp(`\\bIS_ERR \\( ${CHAIN}(\\w+) \\)`, "g");
const EITHER_TEST = new RegExp(`\\bIS_ERR_OR_NULL \\( ${CHAIN}(\\w+) \\)`, "g");
const NULL_TEST = new RegExp(
  `(?:(?:if|while) \\(|& &|\\| \\||\\( !|(?:& &|\\| \\|) !) ${CHAIN}(\\w+) (?=\\)|& &|\\| \\||[!=] = NULL|\\?)`,
  "g",
);

/** Members of which a function asks whether something is there, and that it does not set itself. */
function otherNothing({ functions }: FileChange): Meaning[] {
  return functions.flatMap(({ pre, post }): Meaning[] => {
    if (pre === undefined || post === undefined) return [];
    const [was, is] = [testsOf(pre), testsOf(post)];
    const [gone, come] = [
      [...was.errors].filter((member) => !was.nulls.has(member) && !is.errors.has(member) && is.nulls.has(member)),
      [...is.errors].filter((member) => !is.nulls.has(member) && !was.errors.has(member) && was.nulls.has(member)),
    ];
    return [
      ...gone.map((member) => ({
        member,
        user: post,
        what: "is NULL with the patch where nothing is there, and was an error pointer before",
      })),
      ...come.map((member) => ({
        member,
        user: post,
        what: "is an error pointer with the patch where nothing is there, and was NULL before",
      })),
    ];
  });
}

function testsOf(text: SourceFunction): { readonly errors: ReadonlySet<string>; readonly nulls: ReadonlySet<string> } {
  const set = new Set(assignmentsIn(text).map(([member]) => member));
  const membersIn = (pattern: RegExp): string[] =>
    findIn(text, pattern)
      .map(([member]) => member)
      .filter((member) => !set.has(member));
  const either = membersIn(EITHER_TEST);
  return { errors: new Set([...membersIn(ERROR_TEST), ...either]), nulls: new Set([...membersIn(NULL_TEST), ...either]) };
}

/** One unit or notation made of another. */
const CONVERSION = /\w_to_\w|^(?:cpu|be|le)\d*_?to\w|^[hn]to[hn][sl]$|^ilog2$|^order_base_2$|^BIT(?:_ULL)?$|^DIV_ROUND|^swab\d/;

/** Conversions that a reader does on one side, and who sets the member on the other. */
function movedConversions({ functions }: FileChange): Meaning[] {
  const moved = (from: "pre" | "post", to: "pre" | "post"): Meaning[] =>
    functions.flatMap((reader): Meaning[] =>
      [...convertedBy(reader, from)].flatMap(([member, converters]): Meaning[] => {
        const still = convertedBy(reader, to).get(member);
        const isRead = reader[to] !== undefined && new RegExp(`(?:->|\\.)\\s*${member}\\b`).test(reader[to].body);
        const lost = [...converters].find((name) => still?.has(name) !== true);
        if (!isRead || lost === undefined) return [];
        const isStored = (change: FunctionChange, side: "pre" | "post"): boolean => {
          const text = change[side];
          return text !== undefined && assignmentsIn(text).some(([name, value]) => name === member && value.includes(`${lost} (`));
        };
        const writer = functions.find(
          (change) => change !== reader && isStored(change, to) && !isStored(change, from) && sets(change[from], member),
        );
        if (writer?.post === undefined) return [];
        const [stored, read] = ["when it is stored", "when it is read"];
        const what = `goes through ${lost}() ${to === "post" ? stored : read} with the patch, and ${to === "post" ? read : stored} before`;
        return [{ member, user: writer.post, what }];
      }),
    );
  return [...moved("pre", "post"), ...moved("post", "pre")];
}

function convertedBy(change: FunctionChange, side: "pre" | "post"): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const text = change[side];
  for (const { callee, args } of text === undefined ? [] : findCalls(text)) {
    if (!CONVERSION.test(callee)) continue;
    for (const place of args.map(placeOf))
      if (place?.isMember === true) found.set(place.name, (found.get(place.name) ?? new Set()).add(callee));
  }
  return found;
}

function sets(text: SourceFunction | undefined, member: string): boolean {
  return text !== undefined && assignmentsIn(text).some(([name]) => name === member);
}

const DUMP_PLACE = /\b\w+ -> args \[ (\w+) \]/g;
const DUMP_POINTER = /\* \) (?:\( )?\w+ -> args \[ (\w+) \]/g;

/**
 * `cb->args[1]` of a netlink dump, which goes on from where it was, and is a pointer before the patch only: what that leads to is not given back.
 * (The reverse is refused: src/update/linkage/dump-places.ts.)
 */
function dumpPlaces({ functions }: FileChange): Meaning[] {
  return functions.flatMap(({ pre, post }): Meaning[] => {
    if (pre === undefined || post === undefined || !/->\s*args\b/.test(pre.body)) return [];
    const [all, pointers] = [placesIn(post, DUMP_PLACE), placesIn(post, DUMP_POINTER)];
    const gone = [...placesIn(pre, DUMP_POINTER)].find((place) => all.has(place) && !pointers.has(place));
    return gone === undefined
      ? []
      : [{ member: "args", user: post, what: `[${gone}] of a dump is a number with the patch, and was a pointer before` }];
  });
}

function placesIn(text: SourceFunction, pattern: RegExp): ReadonlySet<string> {
  return new Set(findIn(text, pattern).map(([place]) => place));
}

const FIRST_COUNT = /\b(?:refcount|atomic|atomic64|atomic_long)_set \( & [^;,]*?(?:->|\.) (\w+) , (\d+) \)/g;

/** Counters that begin with another number. */
function otherBeginnings({ functions, pre, post }: FileChange): Meaning[] {
  const before = beginningsOf(pre.functions);
  return [...beginningsOf(post.functions)].flatMap(([member, { counts, user }]): Meaning[] => {
    const [[was, ...others], [is, ...more]] = [[...(before.get(member)?.counts ?? [])], [...counts]];
    const isChanged = functions.some((change) => change.pre !== undefined && change.post?.name === user.name);
    if (was === undefined || is === undefined || was === is || others.length + more.length > 0 || !isChanged) return [];
    return [{ member, user, what: `begins with ${is} with the patch, and with ${was} before` }];
  });
}

function beginningsOf(functions: readonly SourceFunction[]): Map<string, { readonly counts: Set<string>; readonly user: SourceFunction }> {
  const found = new Map<string, { readonly counts: Set<string>; readonly user: SourceFunction }>();
  for (const user of functions)
    for (const [member, count] of findIn(user, FIRST_COUNT)) {
      const known = found.get(member) ?? { counts: new Set<string>(), user };
      known.counts.add(count);
      found.set(member, known);
    }
  return found;
}

const POLLED = /\bpoll_wait \( \w+ , (?:& )?([^;,]*?) ,/g;
const WOKEN = /\bwake_up\w* \( (?:& )?([^;,()]*?) (?:,|\))/g;

/** Queues that a file's poll waits at: who has polled by epoll waits there for as long as the file is open, and the patch wakes those of another. */
function otherQueues({ functions }: FileChange): Meaning[] {
  return functions.flatMap(({ pre, post }): Meaning[] => {
    if (pre === undefined || !post?.body.includes("poll_wait")) return [];
    const [was, is] = [placesNamed(pre, POLLED), placesNamed(post, POLLED)];
    const come = [...is].find((name) => !was.has(name));
    const gone = [...was].find((name) => !is.has(name));
    const isWokenNoMore = functions.some(
      (other) =>
        gone !== undefined &&
        other.pre !== undefined &&
        other.post !== undefined &&
        placesNamed(other.pre, WOKEN).has(gone) &&
        !placesNamed(other.post, WOKEN).has(gone),
    );
    if (gone === undefined || come === undefined || !isWokenNoMore) return [];
    return [
      {
        member: gone,
        user: post,
        harm: "who waits at the former by epoll already, and stays there, is not woken any more",
        what: `is waited at by poll() before the patch, and ${come} with it`,
      },
    ];
  });
}

/** The last names of what a pattern finds. */
function placesNamed(text: SourceFunction, pattern: RegExp): ReadonlySet<string> {
  return new Set(findIn(text, pattern).map(([place]) => /(\w+)(?: \])?$/.exec(place)?.[1] ?? place));
}
