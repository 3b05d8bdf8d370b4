import { type CommandPage, type PageOption } from "./command-pages.js";
import { kindOf, type Kind } from "./completion-kinds.js";

/** What zsh calls for a value of a kind. */
const ACTIONS: Readonly<Record<Kind, string>> = {
  file: "_files",
  // Unlike _files, it offers nothing else where there is no directory.
  directory: "_path_files -/",
  "update-in-kernel": "_ksplice_in_kernel",
  "update-in-store": "_ksplice_in_store",
};

/** Completion of `ksplice COMMAND …` and of the old names with a hyphen, for zsh, with the words of the help. */
export function zshCompletion(pages: readonly CommandPage[]): string {
  const [program, ...commands] = pages.map((page) => ({ word: page.name.split(" ").at(-1) ?? "", page }));
  if (program === undefined) throw new Error("there is no program to complete");
  const name = program.page.name;
  return `#compdef ${[name, ...commands.map(({ word }) => `${name}-${word}`)].join(" ")}
# Completion of ksplice for zsh, made of the commands' own definitions.

_ksplice_in_kernel() {
	local expl
	local -a ids=(/sys/kernel/ksplice/*(N/:t))
	_wanted updates expl 'update in the kernel' compadd -a ids
}

_ksplice_in_store() {
	local expl
	local -aU ids=(/var/lib/ksplice/*/*.tar.gz(N:t))
	ids=(\${ids%%-*})
	_wanted updates expl 'update in the store' compadd -a ids
}

${commands.map(({ word, page }) => `_ksplice_command_${word}() {\n${call("_arguments -s -S :", [...optionSpecs(word, page), ...argumentSpecs(word, page)])}\n}\n`).join("\n")}
_ksplice() {
	local curcontext=$curcontext state
	local -a line commands
	local -A opt_args
	if [[ $service == ksplice-* ]]; then
		_ksplice_command_\${service#ksplice-}
		return
	fi
${call("_arguments -C -s -S :", [...optionSpecs("", program.page), "'1:command:->command'", "'*::argument:->argument'"])} && return
	case $state in
	command)
		commands=(
${commands.map(({ word, page }) => `\t\t\t${quote(`${word}:${page.description}`)}`).join("\n")}
		)
		_describe -t commands command commands
		;;
	argument)
		curcontext=\${curcontext%:*:*}:ksplice-$words[1]:
		(( ! $+functions[_ksplice_command_$words[1]] )) || _ksplice_command_$words[1]
		;;
	esac
}

_ksplice "$@"
`;
}

function call(command: string, specs: readonly string[]): string {
  return [command, ...specs.map((spec) => `\t${spec}`)].map((line) => `\t${line}`).join(" \\\n");
}

/** Each may come again: those that may not are for the command to refuse. */
function optionSpecs(word: string, { options }: CommandPage): string[] {
  return options.map((option) => {
    const [, bracket, place] = /([<[])([^>\]]*)[>\]]/.exec(option.flags) ?? [];
    const value = place === undefined ? "" : `${bracket === "[" ? "::" : ":"}${place}:${actionOf(place, word)}`;
    return `'*'${spellFlags(option, place !== undefined)}${quote(`[${explain(option.description)}]${value}`)}`;
  });
}

/** A value may follow behind a `=`, or a short flag, or as a word of its own. */
function spellFlags({ short, long }: PageOption, hasValue: boolean): string {
  const flags = [short && `${short}${hasValue ? "+" : ""}`, long && `${long}${hasValue ? "=" : ""}`].filter(Boolean);
  return flags.length > 1 ? `{${flags.join(",")}}` : flags.join("");
}

function argumentSpecs(word: string, { args }: CommandPage): string[] {
  return args.map((argument, index) => {
    const name = argument.name();
    const action = argument.argChoices === undefined ? actionOf(name, word) : `(${argument.argChoices.join(" ")})`;
    return quote(`${argument.variadic ? "*" : index + 1}${argument.required || argument.variadic ? ":" : "::"}${name}:${action}`);
  });
}

function actionOf(place: string, word: string): string {
  const kind = kindOf(place, word);
  return kind === undefined ? " " : ACTIONS[kind];
}

function explain(text: string): string {
  return text.replaceAll(/[\\[\]]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
