import { tokensOf } from "./changed-functions.js";

const RESULT = "(?:ret|err|rc|error|status|r|res|result|retval|rv|rval|ret_val)\\d*";
const FIELD = "(?:\\w+ (?:->|\\.) )*";

/** A condition that says that something before it failed: a result is tested for being wrong, or a pointer for being none. */
const FAILED = new RegExp(
  `^(?:(?:! )?IS_ERR(?:_OR_NULL)? \\(.*\\)|${FIELD}${RESULT}(?: (?:<|! =|= =|< =) .*)?|${FIELD}\\w+ (?:<|= =) (?:0|NULL))$`,
);
const MISSING = /^! [\w>. [\]*-]+$/;

/** Where a statement begins. */
const START = "(?<=[;{})] |else )";
const LOG = new RegExp(`${START}(?:\\w+_)?(?:err|warn|info|dbg|error|debug|notice|printk)(?:_\\w+)? \\( [^;{}]* \\) ;`, "g");
const RESULT_KEPT = new RegExp(`${START}${RESULT} = (?=\\w+ \\()`, "g");
/** Without a first value. */
const DECLARATION = new RegExp(
  `${START}(?:const )?(?:struct \\w+|unsigned \\w+|int|long|bool|u\\d+|s\\d+|size_t|\\w+_t|acpi_handle) [\\w* ,]+ ;`,
  "g",
);

/**
 * True where what a function does if all goes well is another. Not looked at are checks whether something failed, what is behind the last
 * return on the way, messages to the log, the order of statements, and a name in place of one that is spelt alike. Checks of what is given
 * count: they refuse what went through before.
 */
export function isSuccessChanged(pre: string, post: string): boolean {
  const [was, now] = [successPath(pre), successPath(post)];
  if (was.join(" ") === now.join(" ") || was.toSorted().join(" ") === now.toSorted().join(" ")) return false;
  return was.length !== now.length || was.some((token, at) => token !== now[at] && !isSpeltAlike(token, now[at] ?? ""));
}

/** Two names of one thing, most often: they share a long word, as `SPI_MASTER_HALF_DUPLEX` and `SPI_CONTROLLER_HALF_DUPLEX`. */
function isSpeltAlike(a: string, b: string): boolean {
  const words = new Set(a.split("_").filter((word) => word.length > 3));
  return b.split("_").some((word) => words.has(word));
}

/** The words and punctuation of a function that run if all goes well. */
function successPath(body: string): string[] {
  // An empty statement stays where a message was: it may be all that an if has.
  const plain = tokensOf(body).replaceAll(DECLARATION, "").replaceAll(LOG, ";").replaceAll(RESULT_KEPT, "");
  const tokens = withoutTail(withoutFailures(plain.split(" ").filter((token) => token !== "")));
  const text = tokens
    .join(" ")
    .replaceAll(/(?<=[;{}])(?: ;)+/g, "")
    .replaceAll(/goto \w+/g, "goto")
    // What is called on returning counts, what is returned does not.
    .replaceAll(/return (\w+ \([^;]*;)/g, "$1 return ;")
    .replaceAll(/return [^;]*;/g, "return ;")
    .replace(/(?: return ;)*(?: \})?$/, "");
  return text.split(" ");
}

function withoutFailures(tokens: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    if (token !== "if" || tokens[at + 1] !== "(") {
      kept.push(token);
      continue;
    }
    const conditionEnd = closing(tokens, at + 1);
    const condition = tokens.slice(at + 2, conditionEnd).join(" ");
    const start = conditionEnd + 1;
    const end = tokens[start] === "{" ? closing(tokens, start) : semicolon(tokens, start);
    const statement = end < tokens.length ? tokens.slice(start, end + 1).join(" ") : "";
    const leaves = /^(?:\{[ ;]*\}|;)$/.test(statement) || /(?:return [^;]*|goto \w+) ;(?: \})?$/.test(statement);
    if (statement !== "" && (isFailure(condition, FAILED) || (leaves && isFailure(condition, MISSING, FAILED)))) at = end;
    else kept.push(token);
  }
  return kept;
}

function isFailure(condition: string, ...patterns: readonly RegExp[]): boolean {
  const plain = condition.replace(/^(?:unlikely|WARN_ON(?:_ONCE)?) \( (.*) \)$/, "$1");
  return plain.split(/ (?:& &|\| \|) /).every((part) => patterns.some((pattern) => pattern.test(part)));
}

/** Cuts off the labels behind a return of the outermost block. */
function withoutTail(tokens: readonly string[]): readonly string[] {
  let depth = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at] === "{") depth++;
    if (tokens[at] === "}") depth--;
    if (depth === 1 && tokens[at] === "return") {
      const end = tokens.indexOf(";", at);
      if (/^\w+$/.test(tokens[end + 1] ?? "") && tokens[end + 2] === ":") return tokens.slice(0, end + 1);
    }
  }
  return tokens;
}

/** Tokens of a statement that is looked at whole: a longer one is more than a way out. */
const LONGEST_WAY_OUT = 300;

/** Where what opens at a place is closed; the end of the text if it is not, or too far off. */
function closing(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < Math.min(tokens.length, open + LONGEST_WAY_OUT); at++) {
    if (/^[({]$/.test(tokens[at] ?? "")) depth++;
    if (/^[)}]$/.test(tokens[at] ?? "") && --depth === 0) return at;
  }
  return tokens.length;
}

function semicolon(tokens: readonly string[], start: number): number {
  for (let at = start; at < Math.min(tokens.length, start + LONGEST_WAY_OUT); at++) if (tokens[at] === ";") return at;
  return tokens.length;
}
