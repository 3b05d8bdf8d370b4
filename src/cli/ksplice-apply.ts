import { runProgram, withCommonOptions } from "./common.js";
import { applyCommand } from "./apply.js";

void runProgram(withCommonOptions(applyCommand().name("ksplice-apply")), process.argv);
