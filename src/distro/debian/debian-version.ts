/**
 * Orders two Debian version numbers as dpkg does: epoch, upstream version, revision; digits by value, `~` before everything, letters
 * before other characters. Source: deb-version(7).
 * @returns negative, zero or positive, as for sorting
 */
export function compareDebianVersions(a: string, b: string): number {
  const [left, right] = [splitVersion(a), splitVersion(b)];
  return left.epoch - right.epoch || comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision);
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = "0", rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
  const at = rest.lastIndexOf("-");
  return { epoch: Number(epoch), upstream: at < 0 ? rest : rest.slice(0, at), revision: at < 0 ? "" : rest.slice(at + 1) };
}

function comparePart(a: string, b: string): number {
  const split = (part: string): string[] => part.split(/(\d+)/);
  const [left, right] = [split(a), split(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x, y] = [left[index] ?? "", right[index] ?? ""];
    // Splitting at the digits puts text at the even places and numbers at the odd ones.
    const order = index % 2 === 0 ? compareText(x, y) : Number(x) - Number(y);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = weigh(a.charAt(index)) - weigh(b.charAt(index));
    if (order !== 0) return order;
  }
  return 0;
}

function weigh(char: string): number {
  if (char === "~") return -1;
  if (char === "") return 0;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}
