// SPDX-License-Identifier: GPL-2.0-only
// Puts each command, with the libraries that it uses, into few files below dist/cli: hundreds of small ones take several times as long to load.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const compiled = join(root, "dist/src/cli");
const target = join(root, "dist/cli");

const commands = readdirSync(compiled).filter((name) => /^ksplice(?:-\w+)?\.js$/.test(name));
const bundle = await rolldown({
  input: Object.fromEntries(commands.map((name) => [basename(name, ".js"), join(compiled, name)])),
  platform: "node",
  // It reads its WebAssembly from beside its own file.
  external: ["iced-x86"],
});
rmSync(target, { recursive: true, force: true });
// No modules of ECMAScript: Node 20 has no way to keep what V8 makes of those.
const { output } = await bundle.write({
  dir: join(target, "bundle"),
  format: "cjs",
  entryFileNames: "[name]-[hash].cjs",
  chunkFileNames: "common-[hash].cjs",
  sourcemap: true,
});
await bundle.close();

const start = join(target, "start-command.cjs");
copyFileSync(join(root, "scripts/start-command.cjs"), start);
for (const { name, fileName, isEntry } of output.filter(({ type }) => type === "chunk")) {
  if (!isEntry) continue;
  const program = join(target, `${name}.cjs`);
  writeFileSync(program, `#!/usr/bin/env node\nrequire("./start-command.cjs").load("${fileName}");\n`);
  chmodSync(program, 0o755);
}
execFileSync(execPath, [start]);
