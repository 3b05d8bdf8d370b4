#!/usr/bin/env node
import { measureRun } from "./peak-memory.js";

/** Runs in the guest: `measure-apply.js PROGRAM ARGS…`. Prints the peak resident memory of the program in MiB. */
const [, , program = "", ...args] = process.argv;
process.stdout.write(String((await measureRun(program, args)).peakMiB));
