import { expect } from "vitest";
import { SleepingThreads } from "../../../lab/sleeping-threads.js";
import type { StartedCommand } from "../../../vm/machine.js";
import { type CoreMachine, UPDATES } from "./core-machine.js";

const ANSWERS = "/sys/kernel/kstest_crowd/answers";
const FUNCTIONS = 1000;

/** Many functions to patch, the update `many` that replaces some of them, and many threads. */
export class Crowd {
  private constructor(
    private readonly core: CoreMachine,
    readonly threads: SleepingThreads,
  ) {}

  /** @param workDir where the program of the threads is compiled */
  static async load(core: CoreMachine, workDir: string): Promise<Crowd> {
    const threads = await SleepingThreads.install(core.machine, workDir);
    await core.load("kstest_crowd");
    return new Crowd(core, threads);
  }

  async loadMany(count: number): Promise<void> {
    await this.core.load("kstest_many", [`sizes=${this.core.loader.sizeOf("kstest_crowd", "old_000")}`, `count=${count}`]);
  }

  async unloadMany(): Promise<void> {
    expect(await this.core.unload("kstest_many")).toBe("");
  }

  /** Readers that call all functions all the time: how many times in all they found a function that answers in neither way comes out. */
  startReaders(count: number): StartedCommand {
    const reader = `while :; do read -r old new wrong <${ANSWERS} && [ $((old + new)) = ${FUNCTIONS} ] || echo "$old $new $wrong"; done &`;
    return this.core.machine.start(`${reader.repeat(count)} wait`);
  }

  /** Applies and undoes, again and again, each time checked by its effect; busy code is tried again. */
  async rounds(count: number, functions: number, timeoutMs = 600_000): Promise<Rounds> {
    const { stdout } = await this.core.machine.run(`set -- ${count} ${functions}\n${ROUNDS}`, { timeoutMs });
    const [, busy] = /^busy (\d+) times\n$/m.exec(stdout) ?? [];
    if (busy === undefined) throw new Error(stdout.slice(-500));
    const stops = (stage: string) => [...stdout.matchAll(new RegExp(`^${stage} (\\d+)$`, "gm"))].map(([, ns]) => Number(ns));
    return { applied: stops("applied"), reversed: stops("reversed"), busy: Number(busy) };
  }
}

export interface Rounds {
  /** How long the machine stood still each time, in nanoseconds. */
  readonly applied: readonly number[];
  readonly reversed: readonly number[];
  /** How often somebody was in the way. */
  readonly busy: number;
}

/** Shell text: $1 rounds with $2 functions. */
const ROUNDS = `
switch() {
	for try in $(seq 200); do
		if echo $1 2>/dev/null >${UPDATES}/many/stage; then
			read -r ns <${UPDATES}/many/stop_ns
			echo "$1 $ns"
			return
		fi
		busy=$((busy + 1))
		sleep 0.05
	done
	echo "not $1: $(cat ${UPDATES}/many/abort_cause ${UPDATES}/many/conflicts)"
	exit 1
}
expect() {
	read -r answers <${ANSWERS}
	[ "$answers" = "$1 $2 0" ] || { echo "round $round: $answers"; exit 1; }
}
busy=0
for round in $(seq $1); do
	switch applied
	expect $((${FUNCTIONS} - $2)) $2
	switch reversed
	expect ${FUNCTIONS} 0
done
echo "busy $busy times"
`;
