#!/usr/bin/env node
import { tellNobody } from "../src/events.js";
import { readFileSync } from "node:fs";
import { applyUpdate } from "../src/update/apply/apply-update.js";
import { undoUpdate } from "../src/update/apply/undo-update.js";
import { openUpdate } from "../src/update/file/update-file.js";

/**
 * Runs in the guest: `apply-undo-rounds.js ROUNDS UPDATE`. Applies the update and undoes it, ROUNDS times in one process, so that Node
 * starts once. Prints a line of JSON a round.
 */
export interface Round {
  readonly round: number;
  /** Nanoseconds that the machine was stopped. */
  readonly applyNs: number;
  readonly undoNs: number;
  /** Tries that apply and undo took together; 2 if the code was free both times. */
  readonly attempts: number;
  /** Milliseconds that matching took. */
  readonly matchMs: number;
  /** Modules of ours that are loaded after the undo. */
  readonly modules: number;
  readonly slabKiB: number;
  readonly vmallocKiB: number;
}

const [, , rounds = "1", path = ""] = process.argv;
const update = await openUpdate(path);
// An emulated machine takes long to look at its threads. Unloaded, so that each round loads it anew.
const quiet = { tries: 30, stopLimit: 1000, unload: true, tell: tellNobody };
for (let round = 1; round <= Number(rounds); round++) {
  const applied = await applyUpdate(update, { ...quiet, partial: false });
  const undone = await undoUpdate(update.manifest.id, quiet);
  const memory = readFileSync("/proc/meminfo", "utf8");
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1]);
  const line: Round = {
    round,
    applyNs: applied.stopNs,
    undoNs: undone.stopNs,
    attempts: applied.attempts + undone.attempts,
    matchMs: applied.matching.milliseconds,
    modules: readFileSync("/proc/modules", "utf8")
      .split("\n")
      .filter((entry) => entry.startsWith("ksplice")).length,
    slabKiB: kibibytes("SUnreclaim"),
    vmallocKiB: kibibytes("VmallocUsed"),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
