import type { Argument, Command } from "commander";
import { umbrella } from "../src/cli/umbrella.js";

/** A command as its documentation shows it: made of the definition that also parses its arguments, so the two cannot disagree. */
export interface CommandPage {
  /** `ksplice`, `ksplice apply`. */
  readonly name: string;
  readonly description: string;
  readonly args: readonly Argument[];
  /** Those that the help shows. */
  readonly options: readonly PageOption[];
  /** Names and descriptions of its own commands. */
  readonly commands: readonly { readonly name: string; readonly description: string }[];
}

export interface PageOption {
  /** `-o, --output <file>` */
  readonly flags: string;
  readonly short: string | undefined;
  readonly long: string | undefined;
  /** With the default, where there is one. */
  readonly description: string;
  readonly mandatory: boolean;
}

/** `ksplice` first, then its commands in the order of its help. */
export function commandPages(program: Command = umbrella()): CommandPage[] {
  const commands = visibleCommands(program);
  return [
    pageOf(program, program.name(), commands),
    ...commands.map((command) => pageOf(command, `${program.name()} ${command.name()}`, [])),
  ];
}

function visibleCommands(program: Command): Command[] {
  // `help` is commander's own, and has no page.
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help");
}

function pageOf(command: Command, name: string, commands: readonly Command[]): CommandPage {
  const help = command.createHelp();
  return {
    name,
    description: command.description(),
    args: help.visibleArguments(command),
    options: help.visibleOptions(command).map((option) => ({
      ...{ flags: option.flags, short: option.short, long: option.long, mandatory: option.mandatory },
      // An option that may be repeated and is not given says nothing.
      description: help.optionDescription(option).replace(" (default: [])", ""),
    })),
    commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
  };
}

/** `<update>`, `[dir]`. */
export function spellArgument(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}
