#!/usr/bin/env node
import { runProgram, withCommonOptions } from "./common.js";
import { undoCommand } from "./undo.js";

await runProgram(withCommonOptions(undoCommand().name("ksplice-undo")), process.argv);
