import { Refusal } from "../../diagnostics.js";

export function cannotBuildModules(release: string, words: string): Refusal {
  return new Refusal({ code: "cannot-build-core", message: `the kernel core does not build for ${release}:\n${words}` });
}

export function cannotLink(target: string, words: string): Refusal {
  return new Refusal({ code: "cannot-link", message: `the new code for ${target} does not link:\n${words}`, location: target });
}

export function moduleNameTooLong(name: string, limit: number): Refusal {
  return new Refusal({
    code: "module-name-too-long",
    message: `the module name ${name} is longer than ${limit} characters`,
    location: name,
  });
}

export function cannotBuildSourceModules(name: string, release: string, words: string): Refusal {
  return new Refusal({
    code: "cannot-build-modules",
    message: `${release} comes without ${name}, and it could not be built for it:\n${words}`,
    location: name,
  });
}
