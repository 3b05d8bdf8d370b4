import { readFileSync } from "node:fs";
import { CommanderError, InvalidArgumentError, type Command } from "commander";
import { EXIT_BUG, EXIT_USAGE, Refusal, type Progress } from "../diagnostics.js";
import { KSPLICE_ABI } from "../update/part-section.js";

/** What every command shares: its options, how it reports progress and errors, its exit status. */

/** Options of every command. */
export interface CommonOptions {
  readonly verbose?: number;
  readonly quiet?: boolean;
  readonly rawErrors?: boolean;
}

export function packageVersion(): string {
  // Compiled to dist/src/cli/, run from src/cli/: look upwards for the package.
  for (let url = new URL("./package.json", import.meta.url); ; url = new URL("../package.json", url)) {
    try {
      return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
    } catch (error) {
      if (url.pathname === "/package.json") throw error;
    }
  }
}

export function withCommonOptions(command: Command): Command {
  return command
    .version(packageVersion(), "--version", "print the version and exit")
    .option("--api-version", "print the version of the interface to the kernel part and exit")
    .option("-v, --verbose", "say more; twice for still more", (_, previous: number) => previous + 1, 0)
    .option("-q, --quiet", "say less")
    .option("--raw-errors", "print the abort code, or OTHER, as the first line of an error")
    .on("option:api-version", () => {
      process.stdout.write(`${KSPLICE_ABI}\n`);
      process.exit(0);
    })
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
}

/** For options that count something. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("it must be a whole number of at least 1");
  return value;
}

/** Progress on stderr: redrawn in place on a terminal, a line each elsewhere, nothing with -q. */
export function stderrProgress(options: CommonOptions): Progress & { done(): void } {
  const redraw = process.stderr.isTTY && (options.verbose ?? 0) === 0;
  const show = (message: string): void => {
    if (options.quiet === true) return;
    if (redraw) process.stderr.write(`\r\x1b[K${message.slice(0, process.stderr.columns - 1)}`);
    else process.stderr.write(`${message}\n`);
  };
  return Object.assign(show, {
    done: () => {
      if (redraw && options.quiet !== true) process.stderr.write("\r\x1b[K");
    },
  });
}

/** Runs a command to its end and exits with its status. @param program what errors start with */
export async function runProgram(program: Command, argv: readonly string[]): Promise<never> {
  const rawErrors = argv.includes("--raw-errors");
  try {
    await program.parseAsync([...argv]);
    process.exit(process.exitCode ?? 0);
  } catch (error) {
    process.exit(reportError(program.name(), error, rawErrors));
  }
}

/** Says on stderr what went wrong. @returns the exit status */
export function reportError(programName: string, error: unknown, rawErrors: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has said it already; help and version end with status 0.
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  const clearLine = process.stderr.isTTY ? "\r\x1b[K" : "";
  if (error instanceof Refusal) {
    if (rawErrors) process.stderr.write(`${error.abortCause}\n`);
    process.stderr.write(`${clearLine}${programName}: ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`${programName}: hint: ${error.hint}\n`);
    return error.exitCode;
  }
  if (rawErrors) process.stderr.write("OTHER\n");
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${clearLine}${programName}: internal error, a bug of this program: ${text}\n`);
  return EXIT_BUG;
}

/** Addresses become strings of hexadecimal digits behind 0x: JSON's numbers do not hold 64 bits. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `0x${item.toString(16)}` : item), 2);
  process.stdout.write(`${text}\n`);
}
