import { Refusal } from "../diagnostics.js";

export function noBuildDirectory(configDir: string, missing: string): Refusal {
  return new Refusal({
    code: "no-build-directory",
    message: `${configDir}/build lacks ${missing}`,
    location: configDir,
    hint: "put the kernel's headers package or build directory there: Module.symvers, include/config and include/generated",
  });
}

export function treeNotClean(source: string, found: string): Refusal {
  return new Refusal({
    code: "tree-not-clean",
    message: `${source} has been built in: it holds ${found}, and there is no .gitignore that says what else the build has made`,
    location: source,
    hint: "use a separate copy of the source, or give the tree the kernel's .gitignore files",
  });
}

export function otherSourceVersion(sourceVersion: string, configVersion: string, release: string): Refusal {
  return new Refusal({
    code: "other-source-version",
    message: `the source is of Linux ${sourceVersion}, but the configuration of ${release} is of Linux ${configVersion}`,
    location: "Makefile",
    hint: "use the source that the running kernel was built from",
    abortCause: "no_match",
  });
}

export function cannotPrepare(release: string, words: string): Refusal {
  return new Refusal({
    code: "cannot-prepare",
    message: `kbuild could not prepare a build for ${release}:\n${words}`,
    hint: "the lines above are make's own",
  });
}

export function configurationDiffers(release: string, differences: readonly string[]): Refusal {
  const shown = differences.slice(0, 8);
  const more = differences.length > shown.length ? [`and ${differences.length - shown.length} more`] : [];
  return new Refusal({
    code: "configuration-differs",
    message: `the tools of this machine make another configuration of ${release}:\n${[...shown, ...more].join("\n")}`,
    hint: "install the compiler, binutils and pahole that the kernel was built with",
  });
}
