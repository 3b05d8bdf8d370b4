import { blankComments } from "../../source/blank-text.js";

/** What the configuration settles of a condition: it holds, it does not, or that depends on something else. */
type Answer = boolean | undefined;

/** The options of a configuration of which it is known what they are in every file of the kernel. */
export class SettledOptions {
  readonly #values = new Map<string, "y" | "m" | "n">();

  /**
   * @param configText a `.config`; an option that it does not name may be defined by anything
   * @param redefined names of macros, with `CONFIG_`, that some file defines or undefines itself (`#undef CONFIG_PARAVIRT` in
   * arch/x86/boot/compressed/misc.h, Linux 6.1)
   */
  constructor(configText: string, redefined: ReadonlySet<string>) {
    for (const [, set, value, unset] of configText.matchAll(/^(?:(CONFIG_\w+)=(.)|# (CONFIG_\w+) is not set$)/gm)) {
      const name = set ?? unset ?? "";
      if (redefined.has(name) || redefined.has(`${name}_MODULE`)) continue;
      this.#values.set(name, unset !== undefined ? "n" : value === "m" ? "m" : "y");
    }
  }

  /** Whether a directive's condition holds: `ifdef CONFIG_SMP`, `if !IS_ENABLED(CONFIG_X)`. Conditions of more than one term are not judged. */
  answer(directive: string): Answer {
    const [, keyword, condition = ""] = /^(ifdef|ifndef|if)\b\s*(.*?)\s*$/s.exec(directive) ?? [];
    if (keyword === undefined) return undefined;
    if (keyword !== "if") return inverted(this.#isDefined(condition), keyword === "ifndef");
    const [, not = "", test, inner, plain] =
      /^(!?)\s*(?:(defined|IS_ENABLED|IS_BUILTIN)\s*\(\s*(\w+)\s*\)|defined\s+(\w+))$/.exec(condition) ?? [];
    const name = inner ?? plain;
    if (name === undefined) return undefined;
    return inverted(test === "IS_ENABLED" ? this.#isEnabled(name) : this.#isDefined(name), not !== "");
  }

  /** autoconf.h defines the macro for what is built in; a module has CONFIG_X_MODULE (scripts/kconfig/confdata.c, Linux 6.1). */
  #isDefined(name: string): Answer {
    const value = this.#values.get(name);
    return value === undefined ? undefined : value === "y";
  }

  #isEnabled(name: string): Answer {
    const value = this.#values.get(name);
    return value === undefined ? undefined : value !== "n";
  }
}

const inverted = (answer: Answer, isNegated: boolean): Answer => (answer === undefined || !isNegated ? answer : !answer);

/**
 * The lines of a source that the configuration leaves out, by their numbers from 0. None, where its conditions do not close.
 * @param text a header or C file
 */
export function deadLines(text: string, options: SettledOptions): ReadonlySet<number> {
  const dead = new Set<number>();
  /** For each condition that is open: whether its branch is left out, and whether one of its branches is known to be taken. */
  const open: { isDead: boolean; isTaken: boolean }[] = [];
  const lines = blankComments(text).split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, directive] = /^\s*#\s*((?:if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b.*)$/.exec(lines[at] ?? "") ?? [];
    if (directive === undefined) {
      if (open.some(({ isDead }) => isDead)) dead.add(at);
      continue;
    }
    const isContinued = directive.endsWith("\\");
    if (directive.startsWith("if")) {
      const answer = isContinued ? undefined : options.answer(directive);
      open.push({ isDead: answer === false, isTaken: answer === true });
      continue;
    }
    const branch = open.at(-1);
    if (branch === undefined) return new Set();
    if (directive.startsWith("endif")) open.pop();
    else if (directive.startsWith("else")) branch.isDead = branch.isTaken;
    else {
      const answer = isContinued ? undefined : options.answer(directive.slice(2));
      branch.isDead = branch.isTaken || answer === false;
      branch.isTaken ||= answer === true;
    }
  }
  return open.length === 0 ? dead : new Set();
}
