#!/usr/bin/env node
import { Command } from "commander";
import { applyCommand } from "./apply.js";
import { runProgram, withCommonOptions } from "./common.js";
import { createCommand } from "./create.js";
import { diffCommand } from "./diff.js";
import { matchCommand } from "./match.js";
import { prepareCommand } from "./prepare.js";
import { rehearseCommand } from "./rehearse.js";
import { snapshotCommand } from "./snapshot.js";
import { undoCommand } from "./undo.js";
import { verifyCommand } from "./verify.js";
import { viewCommand } from "./view.js";

/** The umbrella: `ksplice create …` is the same code as `ksplice-create …`. */
const program = new Command("ksplice").description("patch the running Linux kernel with an ordinary source patch, without a reboot");
const commands = [
  prepareCommand(),
  createCommand(),
  rehearseCommand(),
  snapshotCommand(),
  matchCommand(),
  applyCommand(),
  verifyCommand(),
  viewCommand(),
  undoCommand(),
  diffCommand(),
];
for (const command of commands) {
  program.addCommand(withCommonOptions(command));
}
await runProgram(withCommonOptions(program), process.argv);
