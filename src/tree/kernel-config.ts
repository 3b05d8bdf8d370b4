/** Facts that are written in a kernel's `.config`, its top Makefile and its generated headers. */

/** Values of a `.config` or `auto.conf` by name without `CONFIG_`; strings unquoted, `y` and `m` as they are, unset options absent. */
export function parseConfig(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const match of text.matchAll(/^CONFIG_(\w+)=(.*)$/gm)) {
    const [, name, value] = match;
    if (name !== undefined && value !== undefined) values.set(name, unquote(value));
  }
  return values;
}

function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
}

/** Version that the first comment of a `.config` names (`# Linux/x86 6.1.170 Kernel Configuration`). */
export function findConfigVersion(text: string): string | undefined {
  return /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(text.slice(0, 400))?.[1];
}

/** `VERSION.PATCHLEVEL.SUBLEVEL` and EXTRAVERSION of a top Makefile; undefined if it is not a kernel's. */
export function findSourceVersion(makefile: string): string | undefined {
  const value = (name: string): string | undefined => new RegExp(`^${name}[ \\t]*=[ \\t]*(\\S*)[ \\t]*$`, "m").exec(makefile)?.[1];
  const [version, patchlevel, sublevel] = [value("VERSION"), value("PATCHLEVEL"), value("SUBLEVEL")];
  if (version === undefined || patchlevel === undefined || sublevel === undefined) return undefined;
  return `${version}.${patchlevel}.${sublevel}${value("EXTRAVERSION") ?? ""}`;
}

/** The string that a header defines for a name: `findDefinedString(utsrelease, "UTS_RELEASE")`. */
export function findDefinedString(header: string, name: string): string | undefined {
  return new RegExp(`^#define[ \\t]+${name}[ \\t]+"(.*)"`, "m").exec(header)?.[1];
}
