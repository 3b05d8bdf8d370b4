import { Refusal } from "../../diagnostics.js";

export const noShippedModule = (name: string, directory: string): Refusal =>
  new Refusal({
    code: "no-shipped-module",
    message: `the kernel's own file of module ${name} is not there, which the build of a whole one is held against`,
    location: directory,
    hint: "ksplice prepare puts the kernel's modules there; --build-modules takes modules of the kernel's own package only",
  });

export const objectsNotTold = (name: string, words: string): Refusal =>
  new Refusal({ code: "module-objects", message: `which objects ${name} is linked of cannot be found out:\n${words}`, location: name });

export const exportsOfAssembly = (object: string): Refusal =>
  new Refusal({
    code: "module-exports-assembly",
    message: `${object} is assembly and exports symbols, whose versions are not worked out here: the whole module cannot be built`,
    location: object,
    hint: "make the update without --build-modules",
  });

export const noExportVersions = (object: string, words: string): Refusal =>
  new Refusal({
    code: "module-exports",
    message: `the versions of what ${object} exports cannot be worked out:\n${words}`,
    location: object,
  });

export const moduleNotLinked = (name: string, words: string): Refusal =>
  new Refusal({ code: "module-not-linked", message: `the whole module ${name} does not link:\n${words}`, location: name });

const ONLY_IN_MEMORY = "make the update without --build-modules: it is applied to the module in memory all the same";

export interface PlacedDifference {
  readonly section: string;
  readonly symbol: string | undefined;
  readonly object: string | undefined;
  readonly what: string;
}

/** The file that this build makes of the unpatched source is not the one that the kernel's package brings: nobody knows what else would be in a patched one. */
export function notReproduced(name: string, shipped: string, differences: readonly PlacedDifference[]): Refusal {
  const lines = differences.map(({ section, symbol, object, what }) => {
    const where = [object, symbol, section].filter((part) => part !== undefined).join(": ");
    return `  ${where}: ${what}`;
  });
  return new Refusal({
    code: "module-not-reproduced",
    message: [
      `the unpatched source does not give the shipped module ${name}, so that a whole patched one is not built of it:`,
      ...lines,
    ].join("\n"),
    location: shipped,
    items: differences.map(({ section, symbol, object, what }) => ({
      code: "module-not-reproduced",
      symbol: symbol ?? section,
      message: what,
      place: object ?? name,
    })),
    hint: ONLY_IN_MEMORY,
  });
}

export const notReproducedExports = (name: string, lines: readonly string[]): Refusal =>
  new Refusal({
    code: "module-not-reproduced",
    message: [
      `what the unpatched source exports of ${name} is not what the kernel's Module.symvers says:`,
      ...lines.map((line) => `  ${line}`),
    ].join("\n"),
    location: name,
    hint: ONLY_IN_MEMORY,
  });

export const exportsChange = (name: string, lines: readonly string[]): Refusal =>
  new Refusal({
    code: "module-exports-change",
    message: [
      `with the change ${name} exports something else, and modules that use it would not load any more:`,
      ...lines.map((line) => `  ${line}`),
    ].join("\n"),
    location: name,
    hint: ONLY_IN_MEMORY,
  });

export const typesNeeded = (name: string, object: string): Refusal =>
  new Refusal({
    code: "module-needs-types",
    message: `${object} of ${name} gives functions to BPF programs by its types, which a module that is built here is without: it would not load`,
    location: object,
    hint: ONLY_IN_MEMORY,
  });

export const otherObject = (name: string, object: string): Refusal =>
  new Refusal({
    code: "module-other-object",
    message: `${object} of ${name}, compiled from the source with the earlier updates, is not what the module has, and none of them says that it changes it`,
    location: object,
    hint: ONLY_IN_MEMORY,
  });
