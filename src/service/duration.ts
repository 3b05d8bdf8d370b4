/** A time as people write it: `90`, `90s`, `5m`, `1h`. @returns seconds; undefined where it is none */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = "s"] = /^(\d{1,6})\s*(s|m|min|h)?$/.exec(text) ?? [];
  const seconds = Number(number ?? 0) * ({ s: 1, m: 60, min: 60, h: 3600 }[unit] ?? 0);
  return seconds === 0 ? undefined : seconds;
}
