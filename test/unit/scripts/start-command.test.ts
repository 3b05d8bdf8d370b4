import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../../../src/host/package-root.js";

/** A bundle of a command and what it shares with others. */
let cli: string;
let shared: string;

beforeEach(() => {
  cli = mkdtempSync(join(tmpdir(), "ksplice bundle-"));
  mkdirSync(join(cli, "bundle"));
  shared = join(cli, "bundle/common-1.cjs");
  copyFileSync(join(packageRoot(), "scripts/start-command.cjs"), join(cli, "start-command.cjs"));
  writeFileSync(
    shared,
    'exports.loads = (globalThis.loads ?? 0) + 1; globalThis.loads = exports.loads; exports.words = () => "from " + __filename;',
  );
  writeFileSync(
    join(cli, "bundle/ksplice-view-2.cjs"),
    `const { loads, words } = require("./common-1.cjs"); require("./common-1.cjs");
console.log(loads, words().replace(/.*\\//, ""), require("node:path").sep, process.argv.slice(2).join(","));`,
  );
  writeFileSync(join(cli, "ksplice-view.cjs"), 'require("./start-command.cjs").load("ksplice-view-2.cjs");');
});

afterEach(() => {
  rmSync(cli, { recursive: true });
});

const run = (...options: string[]) =>
  spawnSync(process.execPath, [...options, join(cli, "ksplice-view.cjs"), "a b", "c"], { encoding: "utf8", cwd: "/" });
const OUTPUT = { status: 0, stdout: "1 common-1.cjs / a b,c\n", stderr: "" };
const makeCaches = (): void => {
  execFileSync(process.execPath, [join(cli, "start-command.cjs")]);
};

test("a command runs, and each file of it once", () => {
  expect(run()).toMatchObject(OUTPUT);
});

const kept = (): string => `${shared}.cache`;
const isTaken = (): boolean => {
  const script = `const { Script } = require("node:vm"), make = Script;
require("node:vm").Script = function (source, options) { const made = new make(source, options); console.log(made.cachedDataRejected); return made; };
require(${JSON.stringify(join(cli, "start-command.cjs"))}).load("common-1.cjs");`;
  const words = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim();
  expect(["false", "undefined"]).toContain(words);
  return words === "false";
};

test("what V8 makes of the files that commands share is kept, and taken", () => {
  makeCaches();
  expect(existsSync(`${shared}.cache`)).toBe(true);
  expect(existsSync(join(cli, "bundle/ksplice-view-2.cjs.cache"))).toBe(false);
  expect(run()).toMatchObject(OUTPUT);
});

test.each<[string, () => void]>([
  [
    "what was kept is not whole",
    () => {
      writeFileSync(kept(), readFileSync(kept()).subarray(0, 100));
    },
  ],
  [
    "what was kept is changed",
    () => {
      writeFileSync(kept(), readFileSync(kept()).fill(1, 64, 96));
    },
  ],
  [
    "what was kept is empty",
    () => {
      writeFileSync(kept(), "");
    },
  ],
  [
    "the source is another one, of the same length",
    () => {
      writeFileSync(shared, readFileSync(shared, "utf8").replace('"from "', '"fram "'));
    },
  ],
])("the source is compiled where %s", (_, spoil) => {
  makeCaches();
  expect(isTaken()).toBe(true);
  spoil();
  expect(isTaken()).toBe(false);
  expect(run()).toMatchObject(OUTPUT);
});

test("V8 says no to what was made with other options of its own", () => {
  makeCaches();
  expect(run("--no-lazy")).toMatchObject(OUTPUT);
});
