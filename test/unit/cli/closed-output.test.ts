import { execa } from "execa";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const url = (path: string): string => JSON.stringify(new URL(`../../../dist/src/${path}`, import.meta.url).href);

it.each(["stdout", "stderr"] as const)("a command whose %s nobody reads any more goes on to its end", async (stream) => {
  const done = join(dir, stream);
  const program = `
    import { writeFileSync } from "node:fs";
    import { setTimeout } from "node:timers/promises";
    import { Command } from ${JSON.stringify(import.meta.resolve("commander"))};
    import { runProgram } from ${url("cli/common.js")};
    const command = new Command("work").exitOverride().action(async () => {
      for (let step = 0; step < 3; step++) {
        process.${stream}.write("a step\\n");
        await setTimeout(20);
      }
      writeFileSync(${JSON.stringify(done)}, "");
    });
    await runProgram(command, process.argv);`;
  const child = execa(process.execPath, ["--input-type=module", "-e", program, "work"], { reject: false });
  child[stream].destroy();
  expect(await child).toMatchObject({ exitCode: 0 });
  expect(existsSync(done)).toBe(true);
});
