import { removeAllTemporary } from "../../../src/host/temporary.js";

// What a test that failed has not switched off.
process.on("exit", removeAllTemporary);
