import { topLevelItems, splitHead } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { dumpPointer, type LinkageRefusal } from "./refusals.js";

const PLACE = /\b\w+ - > args \[ (\w+) \]/g;
/** `( struct foo * ) cb->args [ 1 ]` */
const POINTER = /\* \) (?:\( )?\w+ - > args \[ (\w+) \]/g;

/**
 * Places of `cb->args` in which a netlink dump keeps where it is, and that a function takes for a pointer with the patch, and for a number before. User space asks for the next part
 * when it likes (netlink_dump(), net/netlink/af_netlink.c, Linux 6.1 and 6.12): a dump that is under way has a number there, and new code would go where that leads.
 */
export function findDumpPointers(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const changed = diffs.filter(({ diff }) => diff.analysis.included.size > 0);
  return texts.flatMap(({ path, pre, post }): LinkageRefusal[] => {
    const entry = changed.find(({ unit }) => unit.source === path) ?? changed[0];
    if (entry === undefined || !pre.includes("netlink_callback") || !post.includes("netlink_callback")) return [];
    const before = dumpsIn(pre);
    return [...dumpsIn(post)].flatMap(([name, body]): LinkageRefusal[] => {
      const was = before.get(name) ?? "";
      const [places, pointers] = [placesIn(was, PLACE), placesIn(was, POINTER)];
      const come = [...placesIn(body, POINTER)].find((place) => places.has(place) && !pointers.has(place));
      return come === undefined ? [] : [dumpPointer(entry, name, come)];
    });
  });
}

/** Bodies of the functions that are given a dump. */
function dumpsIn(source: string): ReadonlyMap<string, string> {
  return new Map(
    topLevelItems(source).flatMap(({ kind, head, body }): [string, string][] => {
      const name = kind === "function" && head.includes("struct netlink_callback *") ? splitHead(head)?.name : undefined;
      return name === undefined ? [] : [[name, body]];
    }),
  );
}

function placesIn(body: string, pattern: RegExp): ReadonlySet<string> {
  return new Set(Array.from(body.matchAll(pattern), ([, place = ""]) => place));
}
