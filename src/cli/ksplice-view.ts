#!/usr/bin/env node
import { runProgram, withCommonOptions } from "./common.js";
import { viewCommand } from "./view.js";

await runProgram(withCommonOptions(viewCommand().name("ksplice-view")), process.argv);
