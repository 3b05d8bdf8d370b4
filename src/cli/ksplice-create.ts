import { runProgram, withCommonOptions } from "./common.js";
import { createCommand } from "./create.js";

void runProgram(withCommonOptions(createCommand().name("ksplice-create")), process.argv);
