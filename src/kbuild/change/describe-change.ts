/** As long as a description may become. */
const LONGEST = 1000;

/** Lines of a message that say who had to do with it, not what it does. */
const TRAILER = /^(?:[A-Z][\w-]*-by|Cc|Fixes|Link|Closes|Reported-\S+|Message-Id|Change-Id|BugLink): /i;

/**
 * What a description makes of the messages of a change's patches: one line, the subjects and then the rest.
 * @param fallback of patches that say nothing
 */
export function describeChange(messages: readonly (string | undefined)[], fallback: string): string {
  const said = messages.filter((message) => message !== undefined && message.trim() !== "").map((message) => splitMessage(message ?? ""));
  if (said.length === 0) return fallback;
  const rest = said.map(({ body }) => body).filter((body) => body !== "");
  const whole = [said.map(({ subject }) => subject).join("; "), ...rest].join(" — ");
  if (whole.length <= LONGEST) return whole;
  return `${whole.slice(0, LONGEST).replace(/\s\S*$/, "")} …`;
}

/** A description's subjects, for a list. */
export function headlineOf(description: string): string {
  return description.split(" — ")[0] ?? description;
}

function splitMessage(message: string): { subject: string; body: string } {
  const [first = "", ...others] = message.trim().split(/\r?\n[ \t]*\r?\n/);
  const lines = others.join("\n").split("\n");
  return { subject: oneLine(first), body: oneLine(lines.filter((line) => !TRAILER.test(line)).join(" ")) };
}

/** It is printed on terminals: no control characters. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
}
