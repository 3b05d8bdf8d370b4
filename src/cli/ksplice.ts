#!/usr/bin/env node
import { runProgram } from "./common.js";
import { umbrella } from "./umbrella.js";

await runProgram(umbrella(), process.argv);
