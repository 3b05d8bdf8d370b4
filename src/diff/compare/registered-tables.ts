import { atomName, isText, type Atom } from "../atoms/atom.js";
import { nextCall, takesAddress } from "../atoms/branches.js";
import type { ChangedCode } from "./changed-code.js";
import type { SettledConstants } from "./changed-constants.js";
import type { Comparer } from "./compare.js";
import * as refuse from "../refusals.js";
import type { DiffRefusal } from "../types.js";

/** In the names of functions that may file what they are given under a name that it holds: a directory of sysctls is sorted by them (fs/proc/proc_sysctl.c, Linux 6.12). */
const REGISTERS = /(?:^|_)register(?:_|\.|$)/;

/** In the names of functions that take back what another one was given before, by its address, its number or its name. */
const TAKES_BACK =
  /(?:^|_)(?:(?:un|de)(?:register|reg|hook|link|install|map|attach|init)|remove|del|delete|destroy|detach|teardown)s?(?:_|\.|$)/;

/**
 * Constants that change, and that code gives to a function which takes back what was registered with them (`nf_unregister_net_hooks(net, ops, ARRAY_SIZE(ops))`): what
 * is registered when the update is applied has the old one's address, or was made of as many elements as the old one has, and of its numbers. It would not be found, or what was
 * never there would be taken back. That other functions are in a table, and nothing else, does no harm. Texts must stay in what is only registered, too, by whatever code: they may be its names.
 */
export function findRegisteredTables(
  code: ChangedCode,
  { replaced, writes }: Pick<SettledConstants, "replaced" | "writes">,
): DiffRefusal[] {
  const { comparer } = code;
  const rewritten = writes.filter(({ pointer }) => pointer === undefined);
  const changed = new Set([
    ...replaced,
    ...rewritten.filter(({ pre, post }) => differsInMoreThanCode(comparer, pre, post)).map(({ post }) => post),
  ]);
  const renamed = new Set(rewritten.filter(({ pre, post }) => differsInTexts(comparer, pre, post)).map(({ post }) => post));
  if (changed.size === 0) return [];
  return comparer.post.atoms.flatMap((owner) => {
    if (!isText(owner)) return [];
    return owner.relocations.flatMap((field): DiffRefusal[] => {
      const target = comparer.post.target(field, owner);
      if (target.kind !== "atom" || !changed.has(target.atom) || !takesAddress(comparer.post, owner, field)) return [];
      const callee = calleeName(comparer, owner, field) ?? "";
      if (TAKES_BACK.test(callee) && !code.isGone(owner)) return [refuse.registeredTable(atomName(target.atom), atomName(owner), callee)];
      return REGISTERS.test(callee) && renamed.has(target.atom)
        ? [refuse.registeredNames(atomName(target.atom), atomName(owner), callee)]
        : [];
    });
  });
}

function calleeName({ post }: Comparer, owner: Atom, field: Atom["relocations"][number]): string | undefined {
  const call = nextCall(post, owner, field);
  if (call === undefined) return undefined;
  const target = post.target(call, owner);
  if (target.kind === "outside") return target.symbol.name;
  return target.kind === "atom" ? target.atom.symbol?.name : undefined;
}

function differsInTexts(comparer: Comparer, pre: Atom, post: Atom): boolean {
  const places = new Map(pre.relocations.map((relocation) => [relocation.offset, relocation]));
  return post.relocations.some((relocation) => {
    const before = places.get(relocation.offset);
    if (before === undefined) return false;
    const [was, is] = [comparer.pre.target(before, pre), comparer.post.target(relocation, post)];
    return was.kind === "literal" && is.kind === "literal" && !comparer.equalTargets(was, is);
  });
}

/** True unless two constants have the same but for the functions that they point to. */
function differsInMoreThanCode(comparer: Comparer, pre: Atom, post: Atom): boolean {
  const places = new Map(pre.relocations.map((relocation) => [relocation.offset, relocation]));
  if (places.size !== post.relocations.length || post.data.some((byte, at) => byte !== pre.data[at])) return true;
  return post.relocations.some((relocation) => {
    const before = places.get(relocation.offset);
    if (before === undefined) return true;
    const [was, is] = [comparer.pre.target(before, pre), comparer.post.target(relocation, post)];
    return !(isCode(was) && isCode(is)) && !comparer.equalTargets(was, is);
  });

  /** What another unit defines has to be taken for a function: its name alone does not tell. */
  function isCode(target: ReturnType<Comparer["post"]["target"]>): boolean {
    return target.kind === "outside" || (target.kind === "atom" && isText(target.atom));
  }
}
