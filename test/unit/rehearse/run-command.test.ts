import { describe, expect, it } from "vitest";
import { crashedInEmulator, runCommand } from "../../../src/rehearse/run-command.js";
import type { CommandResult } from "../../../vm/machine.js";

const result = (exitCode: number, stderr = ""): CommandResult => ({ exitCode, stderr, stdout: "", stdoutBytes: Buffer.alloc(0) });

const TRAP = `ksplice-apply: internal error, a bug of this program: RuntimeError: unreachable
    at wasm://wasm/002fdcc2:wasm-function[1465]:0x690b7
    at new Decoder (/usr/lib/iced_x86.js:3674:18)
`;

describe("whether Node itself went wrong in the emulator", () => {
  it.each([
    { what: "a segmentation fault", given: result(139), crashed: true },
    { what: "a failed check of V8", given: result(134, "# Fatal error in , line 0"), crashed: true },
    { what: "a trap in WebAssembly code", given: result(70, TRAP), crashed: true },
    { what: "an error of ours", given: result(70, "internal error, a bug of this program: RangeError: at 3"), crashed: false },
    { what: "a refusal", given: result(1, "ksplice-apply: the function is busy"), crashed: false },
    { what: "success", given: result(0), crashed: false },
    { what: "one that the time limit ended", given: result(143), crashed: false },
  ])("$what: $crashed", ({ given, crashed }) => {
    expect(crashedInEmulator(given)).toBe(crashed);
  });
});

describe("a command in a machine", () => {
  const machine = (...results: CommandResult[]) => {
    const ran: string[] = [];
    const run = (command: string | readonly string[]): Promise<CommandResult> => {
      ran.push([command].flat().slice(-1).join(" "));
      const next = results.shift();
      return next === undefined ? Promise.reject(new Error("run too often")) : Promise.resolve(next);
    };
    return { ran, run };
  };

  it("is run once where it ends by itself", async () => {
    const guest = machine(result(1));
    expect(await runCommand(guest, "apply", ["update"])).toEqual(result(1));
    expect(guest.ran).toEqual(["update"]);
  });

  it("is run once more where Node crashed, which is noted", async () => {
    const notes: string[] = [];
    expect(await runCommand(machine(result(70, TRAP), result(0)), "apply", [], (note) => notes.push(note))).toEqual(result(0));
    expect(notes).toEqual(["Node crashed in the emulator during ksplice-apply; once more"]);
  });

  it("is not run a third time", async () => {
    expect(await runCommand(machine(result(139), result(70, TRAP), result(0)), "apply", [])).toEqual(result(70, TRAP));
  });
});
