import { readTopLevel, splitHead, type TopLevelItem } from "../../source/top-level-items.js";
import { isName } from "../../source/words.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { callbackArgument, type LinkageRefusal } from "./refusals.js";

/**
 * Callbacks that take their argument for another member of the object it is in than before the patch, and are given another one to those who call them (`timer_setup(&x->other, f)`): timers, work and
 * RCU callbacks that are set up, or under way, come with the former member's address, and the new code would look for the object in the wrong place. Where only one of the two changes,
 * the patch mends what was wrong.
 */
export function findCallbackArguments(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const changed = diffs.filter(({ diff }) => diff.analysis.included.size > 0);
  const [before, after] = [texts.map(({ pre }) => functionsOf(pre)), texts.map(({ post }) => functionsOf(post))];
  return texts.flatMap(({ path }, at): LinkageRefusal[] => {
    const entry = changed.find(({ unit }) => unit.source === path) ?? changed[0];
    if (entry === undefined) return [];
    return [...(after[at] ?? [])].flatMap(([name, now]): LinkageRefusal[] => {
      const old = before[at]?.get(name);
      if (old === undefined || old.body === now.body) return [];
      const [was, is] = [placesIn(old), placesIn(now)];
      const come = is.find(({ key }) => !was.some((place) => place.key === key));
      const gone = was.find(({ key }) => !is.some((place) => place.key === key));
      if (come === undefined || gone === undefined || isNewMember(texts, come)) return [];
      const [given, gives] = [before, after].map((functions) => givenTo(functions, name));
      return given === gives ? [] : [callbackArgument(entry, name, gone.spelled, come.spelled)];
    });
  });
}

type Functions = ReadonlyMap<string, TopLevelItem>;

function functionsOf(source: string): Functions {
  return new Map(
    (readTopLevel(source) ?? []).flatMap((item) => {
      const name = item.kind === "function" ? splitHead(item.head)?.name : undefined;
      return name === undefined ? [] : [[name, item] as const];
    }),
  );
}

/** What a function takes one of its arguments for. */
interface Place {
  readonly key: string;
  /** `member of struct foo` */
  readonly spelled: string;
  readonly holder: string;
  readonly member: string;
}

const BY_TYPE = /^(?:container_of(?:_const)?|(?:h?list|rb)_entry(?:_safe)?)$/;
const BY_VARIABLE = /^(?:timer_container_of|from_(?:timer|tasklet|work))$/;

/** Only what comes of an argument without a type of its own, or with the member's. */
function placesIn({ head, body }: TopLevelItem): Place[] {
  const parameters = new Set(head.slice(head.indexOf("(") + 1).match(/\w+(?= [,)])/g) ?? []);
  const holders = new Map(
    Array.from(body.matchAll(/\bstruct (\w+) \* (?:const )?(\w+) [=;,]/g), ([, type = "", name = ""]) => [name, type]),
  );
  return calls(body).flatMap(({ callee, args }): Place[] => {
    const [first = "", second = "", third = ""] = args;
    const [pointer, holder] = BY_TYPE.test(callee)
      ? [first, /^struct (\w+)$/.exec(second)?.[1]]
      : BY_VARIABLE.test(callee)
        ? [second, holders.get(first)]
        : [];
    const words = pointer?.split(" ") ?? [];
    if (holder === undefined || !words.some((word) => parameters.has(word))) return [];
    // What the argument is called does not count.
    const way = words.map((word) => (parameters.has(word) ? "#" : word)).join(" ");
    return [{ key: `${holder} ${third} ${way}`, spelled: `${third.replaceAll(" ", "")} of struct ${holder}`, holder, member: third }];
  });
}

/** True of a member that the struct gets with the patch, or that is renamed: what objects have there is judged by their layout. */
function isNewMember(texts: readonly TouchedText[], { holder, member }: Place): boolean {
  const definitions = texts.flatMap(({ pre }) =>
    (readTopLevel(pre) ?? []).filter(({ kind, head }) => kind === "declaration" && head.includes(`struct ${holder} {`)),
  );
  const [name = ""] = member.split(" ");
  return definitions.length > 0 && !definitions.some(({ head }) => head.split(" ").includes(name));
}

/** Which members those who are given a function get together with it, in all functions of the files. */
function givenTo(files: readonly Functions[], name: string): string {
  const found = new Set<string>();
  for (const functions of files)
    for (const { body } of functions.values()) {
      if (!body.includes(name)) continue;
      for (const { callee, args } of calls(body))
        if (args.some((arg) => arg.replace(/^& /, "") === name)) found.add(`${callee} ${args.map(memberOf).join(" ")}`);
      for (const [, place = ""] of body.matchAll(new RegExp(`([^;{}=]+) = (?:& )?${name} ;`, "g"))) found.add(memberOf(place));
    }
  return [...found].sort().join("\n");
}

/** `& toy - > late . timer` → `late . timer` */
function memberOf(expression: string): string {
  return /(?:- >|\.) ((?:\w+|\.|- >| )+)$/.exec(expression)?.[1] ?? "";
}

interface CallText {
  readonly callee: string;
  readonly args: readonly string[];
}

/** All calls and uses of macros, those in arguments included. */
function calls(body: string): CallText[] {
  const tokens = body.split(" ");
  return tokens.flatMap((callee, at): CallText[] => {
    if (tokens[at + 1] !== "(" || !isName(callee)) return [];
    const args: string[][] = [[]];
    let depth = 0;
    for (let index = at + 1; index < tokens.length; index++) {
      const token = tokens[index] ?? "";
      if (/^[([{]$/.test(token) && ++depth === 1) continue;
      if (/^[)\]}]$/.test(token) && --depth === 0) break;
      if (token === "," && depth === 1) args.push([]);
      else args.at(-1)?.push(token);
    }
    return [{ callee, args: args.map((arg) => arg.join(" ")) }];
  });
}
