import { spawn } from "node:child_process";
import { execa } from "execa";
import { Refusal } from "../diagnostics.js";
import type { MachineFacts } from "./machine-facts.js";

/** Has ksplice do something by itself: after a while, or beside, and whatever becomes of the terminal and the session of who asked for it. */
export interface Later {
  /**
   * @param unit names it; one of that name that waits still is forgotten
   * @param args of ksplice
   * @param afterSeconds 0: at once
   */
  start(unit: string, args: readonly string[], afterSeconds: number): Promise<void>;
}

/** @param program what runs ksplice: a program, and its first arguments */
export function systemLater(facts: MachineFacts, program: readonly string[]): Later {
  return facts.hasSystemd()
    ? {
        start: async (...what) => {
          await byUnit(program, ...what);
        },
      }
    : {
        start: async (...what) => {
          await bySession(program, ...what);
        },
      };
}

/**
 * A timer begins behind sysinit.target, which waits at boot for the unit that asks here; and systemd-run (257) waits for the timer to begin, with --no-block, too.
 * What the defaults say of a shutdown stays.
 */
const EARLY = ["DefaultDependencies=no", "Conflicts=shutdown.target", "Before=shutdown.target"].map((each) => `--timer-property=${each}`);

/** A transient unit: its output goes to the journal. */
async function byUnit(program: readonly string[], unit: string, args: readonly string[], afterSeconds: number): Promise<void> {
  await execa("systemctl", ["stop", `${unit}.timer`, `${unit}.service`], { reject: false, stdio: "ignore" });
  // What begins at once goes on until its work is done.
  const timer =
    afterSeconds === 0
      ? ["--property=Restart=on-failure", "--property=RestartSec=1"]
      : [`--on-active=${afterSeconds}s`, "--timer-property=AccuracySec=1s", ...EARLY];
  const { failed, stderr } = await execa("systemd-run", ["--quiet", "--collect", `--unit=${unit}`, ...timer, "--", ...program, ...args], {
    reject: false,
  });
  if (failed) throw cannotStart(unit, stderr);
}

/** A session of its own, without a terminal. */
async function bySession(program: readonly string[], unit: string, args: readonly string[], afterSeconds: number): Promise<void> {
  const child = spawn("setsid", ["--fork", "sh", "-c", `sleep ${afterSeconds}; exec "$@"`, unit, ...program, ...args], {
    stdio: "ignore",
    cwd: "/",
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", (error) => {
      reject(cannotStart(unit, error.message));
    });
    child.once("exit", (status) => {
      if (status === 0) resolve();
      else reject(cannotStart(unit, `setsid ended with status ${String(status)}`));
    });
  });
}

const cannotStart = (unit: string, words: string): Refusal =>
  new Refusal({
    code: "cannot-start-later",
    message: `${unit} could not be started: ${words.trim()}`,
    hint: "see systemctl status, and whether setsid is there",
  });
