import { removeAllTemporary } from "../index.js";

/** Those that end a program unless it says otherwise. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Those that a command may answer in its own time. */
const POLITE_SIGNALS = ["SIGINT", "SIGTERM"] as const;

const ending = new AbortController();

/** Aborted when a signal is about to end the program, so that something can be said. */
export const endingSignal: AbortSignal = ending.signal;

/** Has the program leave no temporary directory behind, also when a signal ends it. */
export function cleanUpAtEnd(): void {
  process.on("exit", removeAllTemporary);
  for (const signal of SIGNALS) process.on(signal, endBySignal);
}

function endBySignal(signal: NodeJS.Signals): void {
  ending.abort();
  removeAllTemporary();
  // The exit status is to say what ended us; with another listener left, the signal would end nobody.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Runs what must not be ended in the middle: SIGINT and SIGTERM abort the signal that `action` gets, which looks at it between its steps. */
export async function endingBetweenSteps<T>(action: (interruption: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  const others = POLITE_SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
  for (const [signal, listeners] of others) {
    for (const listener of listeners) process.off(signal, listener);
    process.on(signal, interrupt);
  }
  try {
    return await action(interruption.signal);
  } finally {
    for (const [signal, listeners] of others) {
      process.off(signal, interrupt);
      for (const listener of listeners) process.on(signal, listener);
    }
  }
}
