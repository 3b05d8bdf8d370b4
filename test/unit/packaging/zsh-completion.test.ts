import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandPages } from "../../../packaging/command-pages.js";
import { zshCompletion } from "../../../packaging/zsh-completion.js";

const dir = mkdtempSync(join(tmpdir(), "ksplice-completion-"));

const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["ksplice app", ["apply"]],
  ["ksplice -v un", ["uname", "undo"]],
  ["ksplice apply --tri", ["--tries"]],
  ["ksplice --raw", ["--raw-errors"]],
  ["ksplice-apply --tri", ["--tries"]],
  ["ksplice-apply ksplice-", ["ksplice-a.tar.gz"]],
  // A value that is a number: nothing to offer, not files.
  ["ksplice-apply --tries ", []],
  ["ksplice create --patch so", ["some.patch"]],
  ["ksplice create --patch=so", ["some.patch"]],
  ["ksplice create -o k", ["ksplice-a.tar.gz"]],
  ["ksplice create oth", ["othertree"]],
  // Of directories only.
  ["ksplice create ksp", []],
  ["ksplice create --id ", []],
  ["ksplice service st", ["start", "stop"]],
  ["ksplice frobnicate ", []],
];

/** An interactive shell on a terminal of its own, in which the tab key shows what would be added. */
const ASK = String.raw`
zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep list_beep"
zpty -w asked "zle -C show .complete-word show; bindkey '^I' show
show() {
	compadd() {
		if [[ \$* != *-[OAD]\ * ]]; then
			local -a hits
			builtin compadd -O hits \"\$@\"
			(( ! \$#hits )) || print -rl -- \"<\"\$^hits\">\"
		fi
		builtin compadd \"\$@\"
	}
	_main_complete
	compstate[insert]= compstate[list]=
	print '<''<end>>'
}
print '<''<ready>>'"
zpty -r asked said '*<<ready>>*' || exit 1
shift
for line; do
	zpty -n -w asked "$line"$'\t'
	zpty -r asked said '*<<end>>*' || exit 1
	print -r -- "$said"
	# The line is taken away.
	zpty -n -w asked $'\x15'
done
`;

/** What zsh offers for the last word of each line. */
let offered: readonly string[][];

beforeAll(() => {
  mkdirSync(join(dir, "functions"));
  writeFileSync(join(dir, "functions/_ksplice"), zshCompletion(commandPages()));
  for (const name of ["some.patch", "othertree"]) mkdirSync(join(dir, "files", name), { recursive: true });
  writeFileSync(join(dir, "files/ksplice-a.tar.gz"), "");
  writeFileSync(join(dir, "ask"), ASK);
  const args = ["-f", join(dir, "ask"), join(dir, "functions"), ...CASES.map(([line]) => line)];
  const said = execFileSync("zsh", args, { encoding: "utf8", cwd: join(dir, "files"), env: { ...process.env, TERM: "dumb" } });
  const answers = said.split("<<end>>").slice(0, CASES.length);
  offered = answers.map((answer) => [...new Set([...answer.matchAll(/<([^<>\r\n]+)>\r?$/gm)].map(([, hit = ""]) => hit))].sort());
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

test.each(CASES.map(([line, expected], index) => ({ line, expected, index })))("$line", ({ expected, index }) => {
  expect(offered[index]).toEqual(expected);
});
