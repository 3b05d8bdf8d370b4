import { Command } from "commander";
import { applyCommand } from "./apply.js";
import { withCommonOptions } from "./common.js";
import { confirmCommand } from "./confirm.js";
import { createCommand } from "./create.js";
import { diffCommand } from "./diff.js";
import { matchCommand } from "./match.js";
import { packageCommand } from "./package.js";
import { prepareCommand } from "./prepare.js";
import { rehearseCommand } from "./rehearse.js";
import { reviewCommand } from "./review.js";
import { serviceCommand } from "./service.js";
import { snapshotCommand } from "./snapshot.js";
import { statusCommand, unameCommand } from "./status.js";
import { installCommand, listCommand, removeCommand } from "./store.js";
import { undoCommand } from "./undo.js";
import { verifyCommand } from "./verify.js";
import { verifySignatureCommand } from "./verify-signature.js";
import { viewCommand } from "./view.js";

/** All commands in one program: `ksplice create …` is the same code as `ksplice-create …`. */
export function umbrella(): Command {
  const program = new Command("ksplice").description("patch the running Linux kernel with an ordinary source patch, without a reboot");
  const commands = [
    prepareCommand(),
    createCommand(),
    rehearseCommand(),
    reviewCommand(),
    snapshotCommand(),
    matchCommand(),
    applyCommand(),
    verifyCommand(),
    viewCommand(),
    undoCommand(),
    verifySignatureCommand(),
    packageCommand(),
    statusCommand(),
    unameCommand(),
    confirmCommand(),
    installCommand(),
    listCommand(),
    removeCommand(),
    serviceCommand(),
    diffCommand(),
  ];
  for (const command of commands) program.addCommand(withCommonOptions(command));
  return withCommonOptions(program);
}
