import { Command } from "commander";
import { EXIT_REFUSED, oneLine, openUpdate, rehearseUpdate, sawTheSame, type Rehearsal } from "../index.js";
import { cacheDirectory, printJson, type CommonOptions } from "./common.js";
import { signingArguments, withSigning, type SigningOptions } from "./signing-options.js";
import { showEvents } from "./show-events.js";

interface RehearseOptions extends CommonOptions, SigningOptions {
  readonly tree: string;
  readonly probe?: string;
  readonly load?: string;
  readonly module: string[];
  readonly expose: string[];
  readonly after: string[];
  readonly consoleLog: string;
  readonly json?: boolean;
}

/** `ksplice rehearse UPDATE --tree DIR` */
export function rehearseCommand(): Command {
  return withSigning(new Command("rehearse"))
    .description("try an update out in a virtual machine: boot its kernel, apply, view, undo, and look for trouble")
    .argument("<update>", "a tarball made by ksplice-create, or its unpacked tree")
    .requiredOption("--tree <dir>", "directory that `ksplice prepare` has filled")
    .option("--probe <command>", "shell command to run in the machine before, with the update applied, and once undone")
    .option("--load <command>", "shell command to run in the background meanwhile")
    .option("--module <name>", "module of the kernel's image to load first, parameters behind its name; may be repeated", collect, [])
    .option("--after <update>", "update that this one was made after: applied first, undone last; may be repeated", collect, [])
    .option(
      "--expose <dir>",
      "show this directory of the host although it lies below /tmp, /var/tmp, /run or /mnt; may be repeated",
      collect,
      [],
    )
    .option("--console-log <file>", "where the console's output is kept", "ksplice-rehearsal.log")
    .option("--json", "print the result as JSON")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RehearseOptions>();
      const shown = showEvents("ksplice rehearse", options);
      const result = await rehearseUpdate(await openUpdate(path), {
        ...options,
        modules: options.module,
        after: await Promise.all(options.after.map(async (lower) => await openUpdate(lower))),
        applyArguments: signingArguments(options),
        cacheDir: cacheDirectory(),
        directory: process.cwd(),
        tell: shown.tell,
      });
      shown.done();
      if (options.json === true) printJson(result);
      else if (options.quiet !== true) process.stdout.write(renderRehearsal(result));
      if (!result.ok) process.exitCode = EXIT_REFUSED;
    });
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function renderRehearsal(result: Rehearsal): string {
  const ms = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`;
  const { verification } = result;
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  const lines = [
    `update ${result.id} on ${result.release}: ${[...result.functions, ...result.data].map((entry) => entry.name).join(", ")}`,
    `matched ${result.matching.functions} functions in ${result.matching.milliseconds} ms; ${result.matching.skippedBytes} bytes not compared`,
    `machine stopped: ${ms(result.stopNs.apply)} to apply, ${ms(result.stopNs.undo)} to undo`,
    ...result.stages.map((stage) => `${stage.stage}: ${seconds(stage.milliseconds)}`),
    ...(result.probes === undefined
      ? []
      : [
          `probe before:  ${oneLine(result.probes.before)}`,
          `probe applied: ${oneLine(result.probes.applied)}`,
          `probe undone:  ${oneLine(result.probes.undone)}`,
        ]),
    ...(sawNoDifference(result) ? ["note: the probe saw the same with the update as without"] : []),
    `verified with the update applied: ${verification.units} units, ${verification.functions} functions, ${verification.symbols} shared names in ${verification.milliseconds} ms; findings: ${verification.findings.length}`,
    `console: ${result.consoleLog}`,
    ...(result.ok ? ["ok"] : ["FAILED:", ...result.failures.map((line) => `  ${line}`)]),
  ];
  return `${lines.join("\n")}\n`;
}

function sawNoDifference({ probes }: Rehearsal): boolean {
  return probes !== undefined && sawTheSame(probes.before, probes.applied);
}
