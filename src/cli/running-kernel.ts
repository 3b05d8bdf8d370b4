import { machineFacts, Refusal, requireMachine, thisPlace } from "../index.js";

const KEPT_FROM_CONTAINERS: ReadonlySet<string> = new Set(["kallsyms-absent", "kallsyms-hidden", "kcore-absent"]);

/** Reads the running kernel. A privileged container can; where another is kept from it, that is the reason, and not what the kernel lacks. @throws Refusal `in-container` */
export function readingRunningKernel<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal && KEPT_FROM_CONTAINERS.has(error.code)) requireMachine(machineFacts(thisPlace()));
    throw error;
  }
}
