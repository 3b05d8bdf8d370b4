import { patchInAttachment } from "./refusals.js";

/** A patch out of a mail, or as `git show` prints it, with what is said about it. */
export interface MailedPatch {
  /** As latin1, so bytes survive. Without what stands before its first header. */
  readonly text: string;
  /** Undefined where nothing is. */
  readonly message: string | undefined;
}

/** First line of a mail in a mailbox; of `git format-patch` it has the commit's hash. */
const MAIL = /^From \S+ .*\d\d:\d\d:\d\d \d{4}\n(?=[\w-]+: )/m;
const MAIL_HEADERS = /^(?:(?:[\w-]+:.*|[ \t].*)\n)+\n/;
/** First lines of `git show` and `git log -p`. */
const COMMIT_HEADERS = /^commit [0-9a-f]{7,64}\b.*\n(?:(?:[A-Z][\w-]*:.*)\n)+\n/;
/** Where a patch begins, as `git mailinfo` has it: in what comes before, a line that looks like part of a patch is none. */
const PATCH_BEGINS = /^(?:diff -|Index: |--- \S|\*\*\* \S)/m;

/**
 * The patches of a mailbox, one a mail, in its order. Mails without a patch (a cover letter, answers) are left out, and other text is one patch.
 * @param given as latin1
 * @throws Refusal `patch-in-attachment`
 */
export function splitMails(name: string, given: string): MailedPatch[] {
  // Mails travel with CR LF: where the first line has it, it is none of the patch's.
  const text = /^[^\n]*\r\n/.test(given) ? given.replaceAll("\r\n", "\n") : given;
  if (!text.startsWith("From ") && !/^(?:From|Subject|Date|Return-Path|Received|Message-ID|Delivered-To): /i.test(text))
    return [readCommit(text)];
  const starts = [...text.matchAll(new RegExp(MAIL, "gm"))].filter(({ index }) => isOutsidePatch(text, index)).map(({ index }) => index);
  const bounds = starts[0] === 0 ? starts : [0, ...starts];
  const mails = bounds.map((start, index) => readMail(name, text.slice(start, bounds[index + 1])));
  const patches = mails.filter((mail) => PATCH_BEGINS.test(mail.text));
  return patches.length === 0 ? [{ text, message: undefined }] : patches;
}

/** A mail begins behind an empty line, or with the text. */
function isOutsidePatch(text: string, index: number): boolean {
  return index === 0 || text.slice(0, index).endsWith("\n\n");
}

function readCommit(text: string): MailedPatch {
  const [head] = COMMIT_HEADERS.exec(text) ?? [];
  if (head === undefined) return { text, message: undefined };
  const begins = PATCH_BEGINS.exec(text)?.index ?? text.length;
  const message = text.slice(head.length, begins).replaceAll(/^ {4}/gm, "").trim();
  return { text: text.slice(begins), message: decodeBytes(message) };
}

function readMail(name: string, raw: string): MailedPatch {
  const mail = raw.replace(/^From .*\n/, "");
  const [head = ""] = MAIL_HEADERS.exec(mail) ?? [];
  const header = (field: string): string =>
    (new RegExp(`^${field}:[ \t]*(.*(?:\n[ \t].*)*)`, "im").exec(head)?.[1] ?? "").replaceAll(/\n[ \t]+/g, " ").trim();
  if (/^multipart\//i.test(header("Content-Type"))) throw patchInAttachment(name);
  const body = decodeBody(mail.slice(head.length), header("Content-Transfer-Encoding").toLowerCase());
  const begins = PATCH_BEGINS.exec(body)?.index ?? body.length;
  const said = body.slice(0, begins).split(/^---\n/m)[0] ?? "";
  const subject = decodeWords(header("Subject")).replace(/^(?:\s*(?:re:|\[[^\]]*\]))*\s*/i, "");
  // A mail that is passed on names the author first.
  const message = decodeBytes(said.replace(/^(?:From|Date|Subject): .*\n+/, "").trim());
  return { text: body.slice(begins), message: [subject, message].filter((part) => part !== "").join("\n\n") };
}

/** RFC 2045, section 6. */
function decodeBody(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("latin1").replaceAll("\r\n", "\n");
  return encoding === "quoted-printable" ? decodeQuoted(body.replaceAll(/[ \t]+$/gm, "").replaceAll("=\n", "")) : body;
}

function decodeQuoted(text: string): string {
  return text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** RFC 2047: `=?UTF-8?q?caf=C3=A9?=`. */
function decodeWords(text: string): string {
  return text.replaceAll(/=\?([\w-]+)\?([QB])\?([^?]*)\?=(?:\s+(?==\?))?/gi, (_, charset: string, kind: string, word: string) => {
    const bytes = kind.toUpperCase() === "B" ? Buffer.from(word, "base64").toString("latin1") : decodeQuoted(word.replaceAll("_", " "));
    return /^utf-8$/i.test(charset) ? decodeBytes(bytes) : bytes;
  });
}

function decodeBytes(text: string): string {
  return Buffer.from(text, "latin1").toString();
}
