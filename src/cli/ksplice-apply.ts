#!/usr/bin/env node
import { runProgram, withCommonOptions } from "./common.js";
import { applyCommand } from "./apply.js";

await runProgram(withCommonOptions(applyCommand().name("ksplice-apply")), process.argv);
