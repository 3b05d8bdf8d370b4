#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
// Prints what an update would change in the kernel, and what its author should know. Uses ksplice as a library:
//
//     node examples/what-it-changes.mjs ksplice-abcd1234.tar.gz
import { openUpdate, Refusal, spellNote } from "ksplice";

const [, , path] = process.argv;
if (path === undefined) {
  console.error("usage: what-it-changes.mjs UPDATE");
  process.exit(2);
}

try {
  const { manifest } = await openUpdate(path);
  console.log(`${manifest.id}, for ${manifest.kernel.release}: ${manifest.description}`);
  for (const { name, units } of manifest.targets)
    for (const unit of units) {
      const changed = [...unit.functions.map((entry) => `${entry.name}()`), ...unit.data.map((entry) => entry.name)];
      console.log(`${name}, ${unit.path}: ${changed.join(", ") || "nothing that is there already"}`);
    }
  for (const note of manifest.notes) console.log(`note: ${spellNote(note)}`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
