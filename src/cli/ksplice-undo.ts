import { runProgram, withCommonOptions } from "./common.js";
import { undoCommand } from "./undo.js";

void runProgram(withCommonOptions(undoCommand().name("ksplice-undo")), process.argv);
