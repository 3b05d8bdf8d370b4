// SPDX-License-Identifier: GPL-2.0-only
// Starts a bundled command. What V8 has made of the bundle when it was built lies beside it: compiling it anew would take longer than most commands work.
"use strict";
const { createHash } = require("node:crypto");
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { createRequire, wrap } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const BUNDLE = join(__dirname, "bundle");
/** Bytes. */
const SUM_SIZE = 32;

const loaded = new Map();

/** The exports of a file of the bundle, which is run the first time. V8 says no to what another version of it, or one with other options, has made; then it compiles. */
function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const path = join(BUNDLE, name);
  const source = readFileSync(path, "utf8");
  const script = new Script(wrap(source), { filename: path, cachedData: readCache(path, source) });
  const module = { exports: {} };
  loaded.set(name, { module, script, source, path });
  const outside = createRequire(path);
  const require = (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : outside(wanted));
  script.runInThisContext()(module.exports, require, module, path, BUNDLE);
  return module.exports;
}

const cacheOf = (path) => `${path}.cache`;
const sumOf = (source, data) => createHash("sha256").update(source).update(data).digest();

/** V8 itself crashes on what is not whole, and knows a source by its length alone: so a sum of the source and of what was made of it stands before that. */
function readCache(path, source) {
  let bytes;
  try {
    bytes = readFileSync(cacheOf(path));
  } catch {
    return undefined;
  }
  const data = bytes.subarray(SUM_SIZE);
  return bytes.subarray(0, SUM_SIZE).equals(sumOf(source, data)) ? data : undefined;
}

/** Keeps what V8 has made of all that the commands have in common, once that has run. */
function writeCaches() {
  for (const name of readdirSync(BUNDLE)) if (name.startsWith("common-") && name.endsWith(".cjs")) load(name);
  for (const { path, source, script } of loaded.values()) {
    const data = script.createCachedData();
    writeFileSync(cacheOf(path), Buffer.concat([sumOf(source, data), data]));
  }
}

module.exports = { load };
if (require.main === module) writeCaches();
