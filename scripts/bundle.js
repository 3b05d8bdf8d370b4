// SPDX-License-Identifier: GPL-2.0-only
// Puts each command, with the libraries that it uses, into few files below dist/cli: hundreds of small ones take several times as long to load.
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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
await bundle.write({ dir: target, format: "esm", entryFileNames: "[name].js", chunkFileNames: "common-[hash].js", sourcemap: true });
await bundle.close();
