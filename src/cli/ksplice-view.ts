import { runProgram, withCommonOptions } from "./common.js";
import { viewCommand } from "./view.js";

void runProgram(withCommonOptions(viewCommand().name("ksplice-view")), process.argv);
