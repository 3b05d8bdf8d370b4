import { closeSync, openSync, writeSync } from "node:fs";
import type { Tell } from "../index.js";

/** How much a command says on stderr. */
export interface ShowOptions {
  readonly verbose?: number;
  readonly quiet?: boolean;
  readonly rawErrors?: boolean;
  readonly debug?: boolean;
  readonly debugfile?: string;
}

/** Shows what the library says. */
export interface Shown {
  readonly tell: Tell;
  /** Before the result is printed. */
  readonly done: () => void;
  /** When nothing more will be said. */
  readonly close: () => void;
}

/**
 * Shows on stderr what is said while a command works. Stages: redrawn in place on a terminal, a line each elsewhere; notes and warnings: lines that stay.
 * Neither with -q. Details: with --debug or -vv, and in the file of --debugfile.
 * @param program the command's name, before what stays
 */
export function showEvents(program: string, options: ShowOptions): Shown {
  const redraw = process.stderr.isTTY && (options.verbose ?? 0) === 0;
  // With --raw-errors the first line is to be the code of the error.
  const showsStages = options.quiet !== true && options.rawErrors !== true;
  const showsDetails = options.debug === true || (options.verbose ?? 0) > 1;
  const file = options.debugfile === undefined ? undefined : openSync(options.debugfile, "a", 0o600);
  const clear = redraw ? "\r\x1b[K" : "";
  const tell: Tell = (kind, message) => {
    switch (kind) {
      case "stage":
        if (!showsStages) return;
        if (redraw) process.stderr.write(`${clear}${message.slice(0, process.stderr.columns - 1)}`);
        else process.stderr.write(`${message}\n`);
        return;
      case "note":
      case "warning":
        if (options.quiet !== true) process.stderr.write(`${clear}${program}: ${message}\n`);
        return;
      case "detail":
        if (showsDetails) process.stderr.write(`${clear}${message}\n`);
        if (file !== undefined) writeSync(file, `${message}\n`);
    }
  };
  return {
    tell,
    done: () => {
      if (showsStages) process.stderr.write(clear);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  };
}
