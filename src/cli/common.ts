import { goOnWithoutReader } from "./closed-output.js";
import { cleanUpAtEnd } from "./interruption.js";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { CommanderError, InvalidArgumentError, type Command } from "commander";
import {
  defaultCacheDir,
  EXIT_BUG,
  EXIT_USAGE,
  KSPLICE_ABI,
  parseDuration,
  refuseNotRoot,
  Refusal,
  whatOfFile,
  type SystemMap,
} from "../index.js";

/** What every command shares: its options, how it reports errors, its exit status. */

/** Options of every command. */
export interface CommonOptions {
  readonly verbose?: number;
  readonly quiet?: boolean;
  readonly rawErrors?: boolean;
}

/** The version in package.json. @throws Error where there is none above this file */
export function packageVersion(): string {
  // Bundled into dist/cli/, run from src/cli/: look upwards for the package.
  for (let url = new URL("./package.json", import.meta.url); ; url = new URL("../package.json", url)) {
    try {
      return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
    } catch (error) {
      if (url.pathname === "/package.json") throw error;
    }
  }
}

/** The options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .version(packageVersion(), "--version", "print the version and exit")
    .option("--api-version", "print the version of the interface to the kernel part and exit")
    .option("-v, --verbose", "each stage on a line of its own; twice: with all details", (_, previous: number) => previous + 1, 0)
    .option("-q, --quiet", "say less")
    .option("--raw-errors", "print the abort code, or OTHER, as the first line of an error")
    .on("option:api-version", () => {
      process.stdout.write(`${KSPLICE_ABI}\n`);
      process.exit(0);
    })
    .exitOverride();
}

/** @throws Refusal `not-root` */
export function requireRootUser(): void {
  if (process.geteuid?.() !== 0) throw refuseNotRoot();
}

/** The command line, or the environment, says something that makes no sense. Exit status 2. */
export function usage(message: string): Refusal {
  return new Refusal({ code: "usage", message, exitCode: EXIT_USAGE });
}

/** How many objects to compile at once where no option says it: CONCURRENCY_LEVEL, else one a processor. */
export function jobsFromEnvironment(): number {
  const level = process.env["CONCURRENCY_LEVEL"];
  if (level === undefined || level === "") return availableParallelism();
  if (!/^[1-9]\d{0,3}$/.test(level)) throw usage(`CONCURRENCY_LEVEL is "${level}", which is no number of jobs`);
  return Number(level);
}

/** Where builds, objects and downloads are kept between runs. */
export function cacheDirectory(): string {
  return defaultCacheDir(process.env);
}

/** Where the lines of --trace go: undefined where it was not said, for they take time. */
export function traceTo({ trace }: { readonly trace?: boolean }): ((line: string) => void) | undefined {
  return trace === true ? (line) => process.stderr.write(`${line}\n`) : undefined;
}

/** For options that count something, or nothing of it. */
export function nonNegativeInteger(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("it must be a whole number of at least 0");
  return Number(text);
}

/** For options that are a time: `90`, `90s`, `5m`, `1h`. @returns seconds */
export function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("it must be a time such as 90s, 5m or 1h");
  return seconds;
}

/** For options that count something. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("it must be a whole number of at least 1");
  return value;
}

/** Options of the commands that change what runs: how long they go on trying, and whether they wake who is in the way. */
export function withPersistence(command: Command): Command {
  return command
    .option("--tries <n>", "how often to try, a second apart, while the code is in use", positiveInteger, 5)
    .option("--wait <seconds>", "try until this time is over instead, at first more often", positiveInteger)
    .option("--nudge", "wake programs that sleep in the code, as a signal without a handler does: some of their system calls return EINTR")
    .option("--stop-limit <ms>", "how long threads are looked at while the machine is stopped, at most (default: 10)", positiveInteger);
}

/** System.map, for a kernel that was built without CONFIG_KALLSYMS_ALL. */
export interface SystemMapOption {
  readonly systemMap?: string;
}

/** For the commands that read the running kernel's symbols. */
export function withSystemMap(command: Command): Command {
  return command.option("--system-map <file>", "where the kernel's variables are, if it was built without CONFIG_KALLSYMS_ALL");
}

/** Undefined where none was named. @throws the system's error where it cannot be read */
export function systemMapFrom({ systemMap }: SystemMapOption): SystemMap | undefined {
  return systemMap === undefined ? undefined : { path: systemMap, bytes: readFileSync(systemMap) };
}

export interface PersistenceOptions {
  readonly tries: number;
  readonly wait?: number;
  readonly nudge?: boolean;
  readonly stopLimit?: number;
}

/** What of them was said. */
export function persistenceFrom({ tries, wait, nudge, stopLimit }: PersistenceOptions): PersistenceOptions {
  return {
    tries,
    ...(wait === undefined ? {} : { wait }),
    ...(nudge === undefined ? {} : { nudge }),
    ...(stopLimit === undefined ? {} : { stopLimit }),
  };
}

/** Runs a command to its end and exits with its status. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<never> {
  cleanUpAtEnd();
  goOnWithoutReader();
  process.exit(await runToEnd(program, argv));
}

/** Runs a command to its end. @returns the exit status */
export async function runToEnd(program: Command, argv: readonly string[]): Promise<number> {
  const style = { rawErrors: argv.includes("--raw-errors"), json: argv.includes("--json") };
  if (style.rawErrors) announceUsageErrors(program);
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportError(program.name(), error, style);
  }
}

/** Usage errors are commander's to print: the code goes before them. */
function announceUsageErrors(command: Command): void {
  command.configureOutput({
    outputError: (text, write) => {
      write(`OTHER\n${text}`);
    },
  });
  for (const subcommand of command.commands) announceUsageErrors(subcommand);
}

export interface ErrorStyle {
  readonly rawErrors?: boolean;
  /** The error as JSON on standard output, besides the text on standard error. */
  readonly json?: boolean;
}

/** Says on stderr what went wrong. @returns the exit status */
export function reportError(programName: string, error: unknown, style: ErrorStyle = {}): number {
  if (error instanceof CommanderError) {
    // Commander has said it already; help and version end with status 0.
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  const clearLine = process.stderr.isTTY ? "\r\x1b[K" : "";
  const refusal = error instanceof Refusal ? error : fileRefusal(error);
  if (style.rawErrors === true) process.stderr.write(`${refusal?.abortCause ?? "OTHER"}\n`);
  if (refusal === undefined) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${clearLine}${programName}: internal error, a bug of this program: ${text}\n`);
    return EXIT_BUG;
  }
  const { code, message, location, hint, items } = refusal;
  process.stderr.write(`${clearLine}${programName}: ${message}\n`);
  if (location !== undefined && !message.includes(location)) process.stderr.write(`${programName}: at ${location}\n`);
  if (hint !== undefined) process.stderr.write(`${programName}: hint: ${hint}\n`);
  if (style.json === true) printJson({ error: { code, message, location, hint, ...(items.length > 0 ? { items } : {}) } });
  return refusal.exitCode;
}

/** What the system says of files that the user named, or that are full or forbidden, is no bug of ours. */
function fileRefusal(error: unknown): Refusal | undefined {
  const found = whatOfFile(error);
  if (found === undefined) return undefined;
  return new Refusal({ code: "file-error", message: `${found.path ?? "a file of this command"}: ${found.reason}` });
}

/** Addresses become strings of hexadecimal digits behind 0x: JSON's numbers do not hold 64 bits. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `0x${item.toString(16)}` : item), 2);
  process.stdout.write(`${text}\n`);
}
