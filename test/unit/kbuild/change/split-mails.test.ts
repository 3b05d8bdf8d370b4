import { describe, expect, test } from "vitest";
import { describeChange, headlineOf } from "../../../../src/kbuild/change/describe-change.js";
import { splitMails } from "../../../../src/kbuild/change/split-mails.js";

const DIFF = "diff --git a/x.c b/x.c\nindex 1..2 100644\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n";
const FROM = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";
const SIGNATURE = "-- \n2.39.5\n\n";

function mail(headers: string, message: string, patch = DIFF): string {
  return `${FROM}From: A <a@b.c>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n${headers}\n\n${message}\n---\n x.c | 2 +-\n 1 file changed\n\n${patch}${SIGNATURE}`;
}

describe("the patches of", () => {
  test("text that is no mail: one, as it is", () => {
    expect(splitMails("p", `words\n${DIFF}`)).toEqual([{ text: `words\n${DIFF}`, message: undefined }]);
  });

  test("a mailbox: one a mail, without the cover letter", () => {
    const cover = `${FROM}From: A <a@b.c>\nSubject: [PATCH 0/2] all of it\n\nwords\n\n x.c | 2 +-\n${SIGNATURE}`;
    const box = cover + mail("Subject: [PATCH 1/2] net: one", "Why.") + mail("Subject: [PATCH 2/2] a subject\n that goes on", "Because.");
    expect(splitMails("p", box)).toEqual([
      { text: DIFF + SIGNATURE, message: "net: one\n\nWhy." },
      { text: DIFF + SIGNATURE, message: "a subject that goes on\n\nBecause." },
    ]);
    expect(splitMails("p", box.replaceAll("\n", "\r\n"))).toEqual(splitMails("p", box));
  });

  test("a mail that quotes a patch in its message: its own only", () => {
    const quoted = `It was\n\n${DIFF.replaceAll(/^/gm, "    ")}\nbefore.`;
    expect(splitMails("p", mail("Subject: x", quoted))[0]?.text).toBe(DIFF + SIGNATURE);
  });

  test("a mail with a line of a message that looks like the beginning of one", () => {
    const patches = splitMails("p", mail("Subject: x", "as in the mail\nFrom me Mon Sep 17 00:00:00 2001\nSubject: y"));
    expect(patches).toHaveLength(1);
  });

  test.each([
    ["quoted-printable", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+caf=C3=A9 =3D =\n1\n"],
    ["base64", Buffer.from("--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+caf\u00c3\u00a9 = 1\n", "latin1").toString("base64")],
  ])("a mail whose text is %s", (encoding, text) => {
    const raw = `Subject: =?UTF-8?q?caf=C3=A9?= =?UTF-8?B?w6k=?=\nContent-Transfer-Encoding: ${encoding}\n\n${text}`;
    const [patch] = splitMails("p", raw);
    expect(patch?.text).toMatch(/^--- a\/x\.c\n\+\+\+ b\/x\.c\n@@ -1 \+1 @@\n-a\n\+caf\u00c3\u00a9 = 1\n/);
    expect(patch?.message).toBe("caféé");
  });

  test("a mail with attachments: refused", () => {
    expect(() => splitMails("p.mbox", 'From: a\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n')).toThrow(
      /p\.mbox has several parts/,
    );
  });

  test("what git show prints", () => {
    const shown = `commit 0123456789012345678901234567890123456789\nAuthor: A <a@b.c>\nDate:   Thu Jan 1\n\n    net: one\n    \n    Why.\n\n${DIFF}`;
    expect(splitMails("p", shown)).toEqual([{ text: DIFF, message: "net: one\n\nWhy." }]);
  });
});

test("a description is one line: the subjects, and then what else is said", () => {
  const messages = ['net: one\n\nWhy\nso.\n\nFixes: 0123 ("x")\nSigned-off-by: A <a@b.c>\n', undefined, "fs: two\u0007"];
  expect(describeChange(messages, "p.patch")).toBe("net: one; fs: two — Why so.");
  expect(headlineOf("net: one; fs: two — Why so.")).toBe("net: one; fs: two");
  expect(describeChange([undefined, " "], "p.patch")).toBe("p.patch");
  const long = describeChange([`subject\n\n${"word ".repeat(1000)}`], "p");
  expect(long.length).toBeLessThanOrEqual(1002);
  expect(long).toMatch(/word …$/);
});
