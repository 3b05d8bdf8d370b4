import { closeSync, openSync, writeSync } from "node:fs";

/** Where `--debug` and `--debugfile` go; without them, nowhere. */
export interface DebugLog {
  (message: string): void;
  close(): void;
}

export function openDebugLog(options: { readonly debug?: boolean; readonly debugfile?: string; readonly verbose?: number }): DebugLog {
  const file = options.debugfile === undefined ? undefined : openSync(options.debugfile, "a", 0o600);
  const toStderr = options.debug === true || (options.verbose ?? 0) > 1;
  const log = (message: string): void => {
    if (toStderr) process.stderr.write(`${message}\n`);
    if (file !== undefined) writeSync(file, `${message}\n`);
  };
  return Object.assign(log, {
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  });
}
