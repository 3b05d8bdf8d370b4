#!/usr/bin/env node
import { runProgram, withCommonOptions } from "./common.js";
import { createCommand } from "./create.js";

await runProgram(withCommonOptions(createCommand().name("ksplice-create")), process.argv);
