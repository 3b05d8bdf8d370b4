import { EXIT_NO_CHANGE, EXIT_USAGE, Refusal } from "../../diagnostics.js";
import type { DiffRefusal, SourceLine } from "../../diff/types.js";
import type { Unit } from "../../kbuild/types.js";

export const badId = (id: string): Refusal =>
  new Refusal({
    code: "bad-id",
    message: `"${id}" cannot be an update's id`,
    hint: "use 1 to 24 letters and digits (and not the word version)",
  });

export const noChange = (details: readonly string[]): Refusal =>
  new Refusal({
    code: "no-change",
    message: ["the patch changes no object code of this kernel", ...details].join("\n  "),
    exitCode: EXIT_NO_CHANGE,
  });

export const noSuchTarget = (pattern: string, units: readonly Unit[]): Refusal =>
  new Refusal({
    code: "no-such-target",
    message: `the change touches none of the targets ${pattern}`,
    hint: `it touches ${[...new Set(units.map((unit) => unit.target))].join(", ")}`,
  });

export const noSuchSource = (pattern: string): Refusal =>
  new Refusal({
    code: "no-such-source",
    message: `nothing of this kernel's configuration is compiled from a file ${pattern}`,
    hint: "name source files as the tree has them, in quotes where there is a *: 'net/ipv4/*'",
    exitCode: EXIT_USAGE,
  });

export const noSuchBusyFunction = (name: string): Refusal =>
  new Refusal({
    code: "no-busy-function",
    message: `--allow-busy names ${name}, and the patch changes no function of that name`,
    hint: "a function that the patch adds, removes or moves to another file cannot be one in which threads stay",
    exitCode: EXIT_USAGE,
  });

export const newGlobalElsewhere = (name: string, definer: Unit, user: Unit): Refusal =>
  new Refusal({
    code: "new-global-elsewhere",
    message: `${user.path} of ${user.target} uses ${name}, which the patch adds to ${definer.target}, and that uses new symbols of ${user.target}: neither can be loaded first`,
    location: definer.source,
    hint: "define it in each of the two, as static",
  });

export const notSafe = (refusals: readonly { unit: string; refusal: DiffRefusal; line: SourceLine | undefined }[]): Refusal => {
  const items = refusals.map(({ unit, refusal, line }) => ({
    code: refusal.code,
    symbol: refusal.symbol,
    message: refusal.message,
    place: line === undefined ? unit : `${line.file}:${line.line}`,
  }));
  return new Refusal({
    code: items[0]?.code ?? "refused",
    message: [
      "the patch makes changes that cannot be put into a running kernel:",
      ...items.map(({ code, symbol, message, place }) => `  ${place}: ${symbol}: ${message} [${code}]`),
    ].join("\n"),
    items,
  });
};

export const changedLayout = (types: readonly { label: string; place: string | undefined }[], details: readonly string[]): Refusal => {
  const [first] = types;
  const place = first?.place;
  return new Refusal({
    code: "changed-layout",
    message: ["the patch changes the layout of types that objects of the running kernel may have:", ...details].join("\n"),
    ...(place === undefined ? {} : { location: place }),
    items: types.map((type) => ({
      code: "changed-layout",
      symbol: type.label,
      message: "its layout changes, and objects of the running kernel may have the old one",
      place: type.place ?? "in a file that the patch does not touch",
    })),
    hint: `if it does no harm to the objects that exist, --allow-layout="${first?.label ?? ""}" lets it through; docs/types.md says what that vouches for`,
  });
};

export const unknownLayout = (type: string, labels: readonly string[]): Refusal =>
  new Refusal({
    code: "unknown-layout",
    message: `--allow-layout names ${type}, and the patch does not change the layout of that type`,
    hint: labels.length === 0 ? "it changes that of no type" : `it changes that of ${labels.join(", ")}`,
    exitCode: EXIT_USAGE,
  });

export const badBtf = (path: string, message: string): Refusal =>
  new Refusal({
    code: "bad-btf",
    message: `the running kernel's types cannot be read: ${message}`,
    location: path,
    hint: "copy them again from /sys/kernel/btf of that kernel: vmlinux and the modules' files belong together",
  });

export function updateOfOtherKernel(id: string, release: string, wanted: string): Refusal {
  return new Refusal({
    code: "wrong-kernel",
    message: `update ${id} is for ${release}, and this one would be for ${wanted}`,
    hint: "--after names updates that this kernel has",
    abortCause: "no_match",
  });
}

export function hooksInSource(path: string): Refusal {
  return new Refusal({
    code: "hooks-in-source",
    message: `an update before this one has hooks, in ${path}: the source that holds it would call them again`,
    location: path,
    hint: "apply its patch without the hooks to a copy of the source, and make the update from that",
  });
}

const WITHOUT_WHOLE = "make the update without --build-modules, or with --only-targets if one module's part is right without the others'";

export const wholeOfSeveral = (targets: readonly string[]): Refusal =>
  new Refusal({
    code: "whole-module-targets",
    message: `--build-modules is for a change of one module, and this one changes ${targets.join(", ")}: the parts of an update take effect at one moment, files on a disk do not`,
    hint: WITHOUT_WHOLE,
  });

export const wholeModuleWithHooks = (name: string): Refusal =>
  new Refusal({
    code: "whole-module-hooks",
    message: `the patch has hooks, which nobody would call in a whole ${name}: they belong to the moment in which an update is applied`,
    hint: "make the update without --build-modules",
  });

export const wholeWithNewObject = (name: string, object: string): Refusal =>
  new Refusal({
    code: "whole-module-objects",
    message: `the patch adds ${object} to ${name}, and a whole module is built here of the objects that the shipped one is made of`,
    location: object,
    hint: "make the update without --build-modules",
  });

export const wholeBesideLayout = (name: string, types: readonly string[]): Refusal =>
  new Refusal({
    code: "whole-module-layout",
    message: `--allow-layout vouches for objects that live now; of a whole ${name} nobody has shown that all its users know the new layout of ${types.join(", ")}`,
    hint: "make the update without --build-modules",
  });

export const wholeModuleAfter = (id: string, name: string, others: readonly string[]): Refusal =>
  new Refusal({
    code: "whole-module-after",
    message: `update ${id}, which the source holds, also changes ${others.join(", ")}: the file of ${name} would be loaded where that is not applied yet`,
    hint: "make the update without --build-modules",
  });
