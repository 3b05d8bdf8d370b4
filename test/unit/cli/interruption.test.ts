import { execa } from "execa";
import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { endingBetweenSteps } from "../../../src/cli/interruption.js";
import { stopIfInterrupted } from "../../../src/host/interruption.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const url = (path: string): string => JSON.stringify(new URL(`../../../dist/src/${path}`, import.meta.url).href);

it.each([
  ["SIGINT", ""],
  ["SIGTERM", ""],
  ["SIGTERM", 'process.prependListener("SIGTERM", () => console.log("what is done stays"));'],
] as const)("%s removes temporary directories, and still ends the program, whoever else listens: %s", async (signal, besides) => {
  const program = `
    import { cleanUpAtEnd } from ${url("cli/interruption.js")};
    import { makeTemporary } from ${url("host/temporary.js")};
    cleanUpAtEnd();
    ${besides}
    await makeTemporary("x-", ${JSON.stringify(dir)});
    console.log("ready");
    setInterval(() => {}, 1000);`;
  const child = execa(process.execPath, ["--input-type=module", "-e", program], { reject: false });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  expect((await readdir(dir)).length).toBe(1);
  child.kill(signal);
  expect((await child).signal).toBe(signal);
  expect(await readdir(dir)).toEqual([]);
});

it("Ctrl-C does not end what stops by itself between its steps", async () => {
  const before = process.listeners("SIGINT");
  const steps: string[] = [];
  const work = endingBetweenSteps(async (interruption) => {
    await Promise.resolve(steps.push("loaded"));
    process.emit("SIGINT");
    try {
      stopIfInterrupted(interruption);
      steps.push("applied");
    } finally {
      steps.push("unloaded");
    }
  });
  await expect(work).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  expect(steps).toEqual(["loaded", "unloaded"]);
  expect(process.listeners("SIGINT")).toEqual(before);
});
