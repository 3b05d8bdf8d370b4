import type { Macro } from "./macro-text.js";

/**
 * Whether a name that stands somewhere in a macro's body is followed by a parenthesis once all is replaced. Only then a macro with parameters that
 * has the name is replaced: `tail` where that depends on what follows the use of the macro.
 */
export type Followed = "no" | "tail" | "yes";

const RANK: Readonly<Record<Followed, number>> = { no: 0, tail: 1, yes: 2 };

/** What comes behind the parameters of all macros. */
export interface ParameterData {
  /** For each macro with parameters, one for each of these. */
  readonly parameters: ReadonlyMap<string, readonly Followed[]>;
  /** Macros without parameters: what they come to is not looked up here. */
  readonly plain: ReadonlySet<string>;
  /** Macros that others may define too, in files that are not known here. */
  readonly unknown: ReadonlySet<string>;
}

/** Tells what follows a place in a text. In doubt a parenthesis does. */
export class FollowFinder {
  private constructor(readonly data: ParameterData) {}

  static ofData(data: ParameterData): FollowFinder {
    return new FollowFinder(data);
  }

  /** @param foreign macros of other files, that a text may use or that define one of these names anew */
  static ofMacros(macros: readonly Macro[], foreign: readonly Macro[]): FollowFinder {
    const parameters = new Map<string, Followed[]>();
    const plain = new Set<string>();
    for (const { name, params } of macros)
      if (params === undefined) plain.add(name);
      else widen(parameters, name, Array<Followed>(params.length).fill("no"));
    const finder = new FollowFinder({ parameters, plain, unknown: new Set(foreign.map(({ name }) => name)) });
    // What is passed on to another macro follows there.
    for (let grown = true; grown;) {
      grown = false;
      for (const macro of macros)
        if (
          macro.params !== undefined &&
          widen(
            parameters,
            macro.name,
            macro.params.map((param) => finder.#behindParameter(macro, param)),
          )
        )
          grown = true;
    }
    return finder;
  }

  #behindParameter(macro: Macro, param: string): Followed {
    let worst: Followed = "no";
    macro.body.forEach((token, at) => {
      if (token !== param || RANK[worst] === RANK.yes) return;
      // As a string, or in front of a ##, it is no name any more. Behind a ## that is so of its first word only.
      if (isPaste(macro.body, at + 1) || (macro.body[at - 1] === "#" && !isPaste(macro.body, at - 2))) return;
      worst = worse(worst, this.behind(macro.body, at, at + 1, macro));
    });
    return worst;
  }

  /**
   * What follows the tokens from `start` up to `end`.
   * @param macro the one whose body the tokens are
   * @param isMacro true of macros that are known to the text only
   */
  behind(
    tokens: readonly string[],
    start: number,
    end: number,
    macro?: Pick<Macro, "params" | "rest">,
    isMacro: (name: string) => boolean = () => false,
  ): Followed {
    const isOpen = (name: string): boolean =>
      macro?.params?.includes(name) === true || name === macro?.rest || this.data.unknown.has(name) || isMacro(name);
    for (let [from, to] = [start, end]; ;) {
      const next = tokens[to];
      if (next === undefined) return "tail";
      if (next === "(" || next === "#") return "yes";
      if (/^\w/.test(next)) return isOpen(next) || this.data.plain.has(next) || this.data.parameters.has(next) ? "yes" : "no";
      if (next !== "," && next !== ")") return "no";
      const call = enclosingCall(tokens, from);
      if (call === undefined) return "yes";
      const name = tokens[call.open - 1] ?? "";
      if (!/^\w/.test(name)) return "no";
      if (tokens[call.open - 2] === "#" || isOpen(name)) return "yes";
      if (this.data.plain.has(name)) return "yes";
      const known = this.data.parameters.get(name);
      if (known === undefined) return "no";
      // A parameter that stands for any number is not followed.
      const inside = known[call.argument] ?? "yes";
      if (inside !== "tail") return inside;
      const close = closingOf(tokens, call.open);
      if (close === undefined) return "yes";
      [from, to] = [call.open - 1, close + 1];
    }
  }
}

function isPaste(tokens: readonly string[], at: number): boolean {
  return tokens[at] === "#" && tokens[at + 1] === "#";
}

function worse(one: Followed, other: Followed): Followed {
  return RANK[one] >= RANK[other] ? one : other;
}

/** Of several definitions of one name the worst counts. @returns true if that makes a difference */
function widen(known: Map<string, Followed[]>, name: string, more: readonly Followed[]): boolean {
  const list = known.get(name);
  if (list === undefined) {
    known.set(name, [...more]);
    return true;
  }
  let grown = false;
  more.forEach((followed, at) => {
    const both = worse(list[at] ?? "no", followed);
    grown ||= list[at] !== both;
    list[at] = both;
  });
  return grown;
}

/** The parenthesis that a place stands in, and which argument of it. */
function enclosingCall(tokens: readonly string[], at: number): { readonly open: number; readonly argument: number } | undefined {
  let [depth, argument] = [0, 0];
  for (let open = at - 1; open >= 0; open--) {
    const token = tokens[open];
    if (token === ")") depth++;
    else if (token === "(" && depth-- === 0) return { open, argument };
    else if (token === "," && depth === 0) argument++;
  }
  return undefined;
}

function closingOf(tokens: readonly string[], open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at] === "(") depth++;
    else if (tokens[at] === ")" && --depth === 0) return at;
  }
  return undefined;
}
