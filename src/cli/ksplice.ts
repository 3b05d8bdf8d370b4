import { runProgram } from "./common.js";
import { umbrella } from "./umbrella.js";

void runProgram(umbrella(), process.argv);
