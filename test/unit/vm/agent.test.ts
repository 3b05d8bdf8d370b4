import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AgentChannel, fitsSocket } from "../../../vm/agent.js";

test.each([
  ["the usual temporary folder's", "/tmp/ksplice-vm-abcdef", true],
  ["the longest", `/${"x".repeat(95)}`, true],
  ["one byte more", `/${"x".repeat(96)}`, false],
  ["as long, in letters of two bytes", `/${"é".repeat(48)}`, false],
])("%s: whether a socket's path fits", (_, directory, fits) => {
  expect(fitsSocket(directory)).toBe(fits);
});

test("a socket is made in the longest directory", async () => {
  const top = mkdtempSync(join("/tmp", "ksplice-agent-"));
  try {
    const longest = join(top, "x".repeat(96 - top.length - 1));
    mkdirSync(longest);
    const agent = new AgentChannel(top, longest);
    await agent.listen();
    agent.close();
  } finally {
    rmSync(top, { recursive: true });
  }
});
