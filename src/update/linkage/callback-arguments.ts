import { callsIn, functionsOf } from "../../source/functions.js";
import { topLevelItems, type TopLevelItem } from "../../source/top-level-items.js";
import { textAround } from "../../source/callback-uses.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { callbackArgument, untoldCallbackArgument, type LinkageRefusal } from "./refusals.js";

/**
 * Callbacks that take their argument for another member of the object it is in than before the patch, and may be given another one to those who call them (`timer_setup(&x->other, f)`): timers, work and
 * RCU callbacks that are set up, or under way, come with the former member's address, and the new code would look for the object in the wrong place. Only where all who are handed such a function are
 * seen to get the member with it, the same as before the patch, the patch mends what was wrong.
 */
export function findCallbackArguments(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const changed = diffs.filter(({ diff }) => diff.analysis.included.size > 0);
  const functions = texts.map(({ pre, post }) => ({ before: functionsOf(pre), after: functionsOf(post) }));
  return texts.flatMap(({ path }, at): LinkageRefusal[] => {
    const entry = changed.find(({ unit }) => unit.source === path) ?? changed[0];
    if (entry === undefined) return [];
    return [...(functions[at]?.after ?? [])].flatMap(([name, now]): LinkageRefusal[] => {
      const old = functions[at]?.before.get(name);
      if (old === undefined || old.body === now.body) return [];
      const [was, is] = [placesIn(old), placesIn(now)];
      const come = is.find(({ key }) => !was.some((place) => place.key === key));
      const gone = was.find(({ key }) => !is.some((place) => place.key === key));
      if (come === undefined || gone === undefined || isNewMember(texts, come)) return [];
      const [given, gives] = (["pre", "post"] as const).map((side) =>
        handedOut(
          texts.map((text) => text[side]),
          name,
        ),
      );
      if (given?.together !== gives?.together) return [callbackArgument(entry, name, gone.spelled, come.spelled)];
      const unseen = given?.unseen ?? gives?.unseen;
      return unseen === undefined ? [] : [untoldCallbackArgument(entry, name, gone.spelled, come.spelled, unseen)];
    });
  });
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
  return callsIn(body).flatMap(({ callee, args }): Place[] => {
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
    const through = way === "#" ? "" : `, through ${(pointer ?? "").replaceAll(" ", "")}`;
    return [
      { key: `${holder} ${third} ${way}`, spelled: `${third.replaceAll(" ", "")} of struct ${holder}${through}`, holder, member: third },
    ];
  });
}

/** True of a member that the struct gets with the patch, or that is renamed: what objects have there is judged by their layout. */
function isNewMember(texts: readonly TouchedText[], { holder, member }: Place): boolean {
  const definitions = texts.flatMap(({ pre }) =>
    topLevelItems(pre).filter(({ kind, head }) => kind === "declaration" && head.includes(`struct ${holder} {`)),
  );
  const [name = ""] = member.split(" ");
  return definitions.length > 0 && !definitions.some(({ head }) => head.split(" ").includes(name));
}

interface HandedOut {
  /** Which members those who are given the function get together with it; one line for each way. */
  readonly together: string;
  /** The words of a place that hands it out with no member that can be seen: in a macro, with a local pointer, in a table. */
  readonly unseen: string | undefined;
}

/** What a function is handed out with in some files: told by every place of its name that is no call. */
function handedOut(sources: readonly string[], name: string): HandedOut {
  const together = new Set<string>();
  let unseen: string | undefined;
  for (const item of sources.flatMap((source) => (source.includes(name) ? topLevelItems(source) : []))) {
    const text = item.kind === "function" ? item.body : item.head;
    // A directive has its own blanks.
    const words: readonly string[] = text.match(/\w+|[^\s\w]/g) ?? [];
    const places = [...words.keys()].filter((at) => words[at] === name && words[at + 1] !== "(");
    const [first] = places;
    if (first === undefined) continue;
    const ways = waysIn(words.join(" "), name);
    for (const way of ways) together.add(`${way.to} ${way.members.join(" ")}`);
    const seen = ways.filter(({ members }) => members.some((member) => member !== ""));
    if (seen.length < places.length) unseen ??= textAround(words, first, first).replaceAll("- > ", "->");
  }
  return { together: [...together].sort().join("\n"), unseen };
}

/** What a text does with a function that it does not call: gives it to whom, together with which members. */
function waysIn(text: string, name: string): { readonly to: string; readonly members: readonly string[] }[] {
  const given = callsIn(text).flatMap(({ callee, args }) => {
    const isGiven = args.some((arg) => arg.replace(/^& /, "") === name);
    return isGiven ? [{ to: callee, members: args.map(memberOf) }] : [];
  });
  const put = Array.from(text.matchAll(new RegExp(`([^;{}=]+) = (?:& )?${name} ;`, "g")), ([, place = ""]) => ({
    to: "=",
    members: [memberOf(place)],
  }));
  return [...given, ...put];
}

/** `& toy - > late . timer` → `late . timer` */
function memberOf(expression: string): string {
  return /(?:- >|\.) ((?:\w+|\.|- >| )+)$/.exec(expression)?.[1] ?? "";
}
