import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../src/host/package-root.js";
import type { JudgeAnswer, JudgeRequest, JudgeSetup } from "./judge-process.js";

/** Processes that judge, each one fix at a time: what is not the compiler's work would keep a single one busy. They begin when the first fix comes. */
export class JudgePool {
  readonly #setup: JudgeSetup;
  readonly #program: string;
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  /** @param program what is run, another one in tests */
  constructor(setup: JudgeSetup, program: string = join(packageRoot(), "dist/corpus/judge-process.js")) {
    this.#setup = setup;
    this.#program = program;
  }

  /**
   * Has a process judge, one that has nothing to do or a new one; so as many are started as are asked at once.
   * @throws Error with the process's words if it could not judge, or ended over it
   */
  async judge(request: JudgeRequest): Promise<void> {
    const child = this.#idle.pop() ?? this.#start();
    const answer = await ask(child, request);
    this.#idle.push(child);
    if (answer.error !== undefined) throw new Error(answer.error);
  }

  /** Ends the processes; what they do is lost. */
  end(): void {
    for (const child of this.#all) if (child.connected) child.disconnect();
  }

  #start(): ChildProcess {
    // Structured clones keep what refers to the same object; as JSON, maps would be lost.
    const child = fork(this.#program, { serialization: "advanced", stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#all.add(child);
    child.once("exit", () => {
      this.#all.delete(child);
      if (this.#idle.includes(child)) this.#idle.splice(this.#idle.indexOf(child), 1);
    });
    child.send(this.#setup, ignoreError);
    return child;
  }
}

async function ask(child: ChildProcess, request: JudgeRequest): Promise<JudgeAnswer> {
  const ended = new AbortController();
  try {
    const exit = once(child, "exit", { signal: ended.signal }).then(([code, signal]: unknown[]) => {
      throw new Error(`the process that judged ${request.fix} ended with ${String(code ?? signal)}`);
    });
    const answered = Promise.race([once(child, "message", { signal: ended.signal }), exit]);
    child.send(request, ignoreError);
    return ((await answered) as [JudgeAnswer])[0];
  } finally {
    ended.abort();
  }
}

/** A process that cannot be sent to has ended, and that is told by its end. */
function ignoreError(): void {
  // Nothing to do.
}
