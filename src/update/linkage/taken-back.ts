import { callsIn, functionsOf, type TokenCall } from "../../source/functions.js";
import { topLevelItems, type TopLevelItem } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { takenBackElsewhere, type LinkageRefusal, type MemberSwap } from "./refusals.js";

/** Ends what `PUTS` began, and has to name the same place. */
const TAKES = /(?:^|_)(?:del|delete|cancel|unregister|free_irq|remove|erase|unlink|detach|unhash|dequeue|destroy|kill|teardown)(?:_|$)/;
const PUTS =
  /(?:^|_)(?:add|setup|register|request|insert|link|attach|move|queue|schedule|mod|hash|enqueue|init|init_work|create|start)(?:_|$)|^INIT_/;
/** Come to what is linked by a member that they are given by name. */
const WALKS = /^h?l?list_(?:for_each_entry\w*|(?:first|last)_entry\w*|entry\w*)$|^rb_entry\w*$/;

/**
 * Members that the patch has one function take back, or walk along, in place of other ones (`list_del(&x->other)`), and another function put or set up (`list_add(&x->other, …)`): both agree with
 * each other, and not with what was put before the patch, which the new code would take for something else. Where only one of the two changes, the patch mends what was wrong.
 */
export function findTakenBackElsewhere(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const changed = diffs.filter(({ diff }) => diff.analysis.included.size > 0);
  const swaps = texts.map(({ path, pre, post }) => ({ path, swaps: swapsIn(functionsOf(pre), functionsOf(post)) }));
  const puts = swaps.flatMap((text) => text.swaps.filter(({ does }) => does === "puts"));
  return swaps.flatMap(({ path, swaps: own }) => {
    const entry = changed.find(({ unit }) => unit.source === path) ?? changed[0];
    if (entry === undefined) return [];
    return own.flatMap((taken): LinkageRefusal[] => {
      if (taken.does !== "takes") return [];
      const put = puts.find(({ from, to }) => from === taken.from && to === taken.to);
      return put === undefined || isDeclaredAnew(texts, taken.to) ? [] : [takenBackElsewhere(entry, taken, put)];
    });
  });
}

interface Swap extends MemberSwap {
  readonly does: "puts" | "takes";
}

function swapsIn(before: ReadonlyMap<string, TopLevelItem>, after: ReadonlyMap<string, TopLevelItem>): Swap[] {
  return [...after].flatMap(([user, now]) => {
    const old = before.get(user);
    if (old === undefined || old.body === now.body) return [];
    const [was, is] = [membersByCallee(old.body), membersByCallee(now.body)];
    return [...is].flatMap(([callee, members]) => {
      const former = was.get(callee) ?? new Set<string>();
      const gone = [...former].filter((member) => !members.has(member));
      const come = [...members].filter((member) => !former.has(member));
      const does = isTaking(callee) ? ("takes" as const) : ("puts" as const);
      return gone.flatMap((from) => come.filter((to) => !isSameMember(from, to)).map((to) => ({ user, callee, does, from, to })));
    });
  });
}

/** `display.gmbus.queue` of one struct is `gmbus.queue` of what it holds. */
const isSameMember = (a: string, b: string): boolean => `.${a}`.endsWith(`.${b}`) || `.${b}`.endsWith(`.${a}`);

const isTaking = (callee: string): boolean => TAKES.test(callee) || WALKS.test(callee);

/** By what is called: the members that it is given, or told the names of. */
function membersByCallee(body: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const call of callsIn(body)) {
    if (!isTaking(call.callee) && !PUTS.test(call.callee)) continue;
    const members = WALKS.test(call.callee) ? walkedMember(call) : call.args.flatMap(memberAt);
    found.set(call.callee, new Set([...(found.get(call.callee) ?? []), ...members]));
  }
  return found;
}

/** `list_for_each_entry_safe(p, next, head, member)`: behind the head, or the type. */
function walkedMember({ callee, args }: TokenCall): string[] {
  const member = args[callee.includes("_safe") && callee.includes("for_each") ? 3 : 2];
  return member === undefined ? [] : [member.replaceAll(" ", "")];
}

/** `& toy - > late . node` → `late.node` */
function memberAt(expression: string): string[] {
  const [, member] = /^(?:& )?[^?:,]*?(?:- >|\.) ((?:\w+ \. )*\w+)$/.exec(expression) ?? [];
  return member === undefined ? [] : [member.replaceAll(" ", "")];
}

/** True of a member that a struct gets with the patch, or that is renamed: what objects have there is judged by their layout. */
function isDeclaredAnew(texts: readonly TouchedText[], member: string): boolean {
  const [name = ""] = member.split(".");
  const declares = (source: string): boolean =>
    topLevelItems(source).some(({ kind, head }) => kind === "declaration" && head.includes("{") && head.split(" ").includes(name));
  return texts.some(({ post }) => declares(post)) && !texts.some(({ pre }) => declares(pre));
}
