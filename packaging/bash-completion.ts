import type { CommandPage } from "./command-pages.js";
import { kindOf } from "./completion-kinds.js";

/**
 * Completion of `ksplice COMMAND …` and of the old names with a hyphen, for bash. It runs no program but what bash brings: every shell reads it.
 */
export function bashCompletion(pages: readonly CommandPage[]): string {
  const [program, ...commands] = pages.map((page) => ({ word: page.name.split(" ").at(-1) ?? "", page }));
  if (program === undefined) throw new Error("there is no program to complete");
  return `# Completion of ksplice for bash, made of the commands' own definitions.

_ksplice_complete() {
	case $1 in
	words) mapfile -t COMPREPLY < <(compgen -W "$2" -- "$cur") ;;
	file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	directory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	update-in-kernel)
		local entry ids=
		for entry in /sys/kernel/ksplice/*/; do
			[[ ! -d $entry ]] || { entry=\${entry%/}; ids+=" \${entry##*/}"; }
		done
		_ksplice_complete words "$ids" ;;
	update-in-store)
		local entry ids=
		for entry in /var/lib/ksplice/*/*.tar.gz; do
			[[ ! -f $entry ]] || { entry=\${entry##*/}; ids+=" \${entry%%-*}"; }
		done
		_ksplice_complete words "$ids" ;;
	esac
}

_ksplice() {
	local cur=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD - 1]} program=\${COMP_WORDS[0]##*/} command= index
	COMPREPLY=()
	# --option=value comes as three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $option == = ]]; then
		option=\${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $program == ksplice-* ]]; then
		command=\${program#ksplice-}
	else
		for ((index = 1; index < COMP_CWORD; index++)); do
			[[ \${COMP_WORDS[index]} == -* ]] || { command=\${COMP_WORDS[index]}; break; }
		done
	fi

	case "$command $option" in
${commands.flatMap(({ word, page }) => valueCases(word, page)).join("\n")}
	esac
	if [[ $cur == -* ]]; then
		case $command in
${[{ word: '""', page: program.page }, ...commands].map(({ word, page }) => `\t\t${word}) _ksplice_complete words "${optionWords(page)}" ;;`).join("\n")}
		esac
		return
	fi
	case $command in
	"") _ksplice_complete words "${commands.map(({ word }) => word).join(" ")}" ;;
${commands.flatMap(({ word, page }) => argumentCase(word, page)).join("\n")}
	esac
}

complete -F _ksplice ${[program.page.name, ...commands.map(({ word }) => `${program.page.name}-${word}`)].join(" ")}
`;
}

function optionWords({ options }: CommandPage): string {
  return options.flatMap(({ long }) => long ?? []).join(" ");
}

/** A value follows: it is completed, or nothing is. */
function valueCases(word: string, { options }: CommandPage): string[] {
  return options.flatMap(({ flags, short, long }) => {
    const [, place] = /[<[]([^>\]]*)[>\]]/.exec(flags) ?? [];
    if (place === undefined) return [];
    const patterns = [short, long].flatMap((flag) => (flag === undefined ? [] : [`"${word} ${flag}"`])).join(" | ");
    const kind = kindOf(place, word);
    return [`\t${patterns}) ${kind === undefined ? "" : `_ksplice_complete ${kind}; `}return ;;`];
  });
}

function argumentCase(word: string, { args }: CommandPage): string[] {
  const [first] = args;
  if (first?.argChoices !== undefined) return [`\t${word}) _ksplice_complete words "${first.argChoices.join(" ")}" ;;`];
  const kind = first && kindOf(first.name(), word);
  return kind === undefined ? [] : [`\t${word}) _ksplice_complete ${kind} ;;`];
}
