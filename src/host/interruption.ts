import { Refusal } from "../diagnostics.js";

/** 128 and the number of SIGINT, as shells have it. */
const EXIT_INTERRUPTED = 130;

/** For between steps. @throws Refusal `interrupted` */
export function stopIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new Refusal({ code: "interrupted", message: "interrupted; nothing was changed", exitCode: EXIT_INTERRUPTED });
}
