import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { appendSignature, findFault, hasSignature } from "../../../src/signing/module-signature.js";
import { commandSigner, keySigner } from "../../../src/signing/module-signer.js";
import { compileBytes, GCC } from "../../support/compile-object.js";
import { makeSigningKey } from "../../support/signing-key.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const MARKER = "~Module signature appended~\n";
const path = (name: string): string => join(dir, name);
const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });

let module: Uint8Array;

beforeAll(() => {
  makeSigningKey(dir, "rsa");
  makeSigningKey(dir, "ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
  openssl("pkcs8", "-topk8", "-in", path("rsa.key"), "-out", path("locked.key"), "-passout", "pass:1234");
  module = compileBytes('__attribute__((section(".modinfo"), used)) static const char name[] = "name=sample";', GCC ?? "gcc", []);
});

/** What the kernel makes of a module: what is signed, and the signature. The layout is that of its own scripts/sign-file. */
function split(bytes: Uint8Array): { content: Buffer; pkcs7: Buffer; trailer: Buffer } {
  const whole = Buffer.from(bytes);
  expect(whole.subarray(-MARKER.length).toString()).toBe(MARKER);
  const trailerAt = whole.length - MARKER.length - 12;
  const trailer = whole.subarray(trailerAt, trailerAt + 12);
  const start = trailerAt - trailer.readUInt32BE(8);
  return { content: whole.subarray(0, start), pkcs7: whole.subarray(start, trailerAt), trailer };
}

/** @returns what openssl says */
function verify(bytes: Uint8Array, certificate: string): string {
  const { content, pkcs7 } = split(bytes);
  writeFileSync(path("content"), content);
  writeFileSync(path("pkcs7"), pkcs7);
  const how = ["-verify", "-binary", "-inform", "DER", "-in", path("pkcs7"), "-content", path("content"), "-out", path("verified")];
  try {
    openssl("cms", ...how, "-certfile", certificate, "-CAfile", certificate, "-purpose", "any");
    return "good";
  } catch (error) {
    return error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  }
}

describe("a signed module", () => {
  test.each([
    ["by an RSA key", "rsa.key", "rsa.pem"],
    ["by an RSA key, with a certificate in DER, as the kernel's build makes it", "rsa.key", "rsa.der"],
    ["by an elliptic key", "ec.key", "ec.pem"],
  ])("%s verifies", async (_, key, certificate) => {
    const signed = await keySigner({ key: path(key), certificate: path(certificate) }).sign(module, "sample");
    expect(hasSignature(signed)).toBe(true);
    const { content, trailer } = split(signed);
    expect(content.equals(module)).toBe(true);
    // Nothing but the kind, PKCS#7, and the length: the kernel refuses all else.
    expect([...trailer.subarray(0, 8)]).toEqual([0, 0, 2, 0, 0, 0, 0, 0]);
    expect(verify(signed, path(certificate.replace("der", "pem")))).toBe("good");
  });

  test("is what modinfo takes for one", async () => {
    const signed = await keySigner({ key: path("rsa.key"), certificate: path("rsa.pem") }).sign(module, "sample");
    writeFileSync(path("sample.ko"), signed);
    const words = execFileSync("/usr/sbin/modinfo", [path("sample.ko")], { encoding: "utf8" });
    expect(words).toMatch(/^sig_id: +PKCS#7$/m);
    expect(words).toMatch(/^signer: +test rsa$/m);
    expect(words).toMatch(/^sig_hashalgo: +sha256$/m);
  });

  test("does not verify once a byte is changed, or with another's certificate", async () => {
    const signed = await keySigner({ key: path("rsa.key"), certificate: path("rsa.pem") }).sign(module, "sample");
    expect(verify(signed, path("ec.pem"))).not.toBe("good");
    const changed = new Uint8Array(signed);
    changed[100] = (changed[100] ?? 0) ^ 1;
    expect(verify(changed, path("rsa.pem"))).toMatch(/digest|verification|signature/i);
  });

  test("holds neither attributes nor certificates, as the kernel's parser wants it", async () => {
    const signed = await keySigner({ key: path("rsa.key"), certificate: path("rsa.pem") }).sign(module, "sample");
    writeFileSync(path("pkcs7"), split(signed).pkcs7);
    const words = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", path("pkcs7")).toString();
    expect(words).toMatch(/certificates:\s*<ABSENT>/);
    expect(words).toMatch(/signedAttrs:\s*<ABSENT>/);
    expect(words).toMatch(/eContent: <ABSENT>/);
  });

  test("may be signed by a key with a passphrase", async () => {
    const locked = { key: path("locked.key"), certificate: path("rsa.pem") };
    expect(verify(await keySigner({ ...locked, passphrase: "1234" }).sign(module, "sample"), path("rsa.pem"))).toBe("good");
    await expect(keySigner({ ...locked, passphrase: "no" }).sign(module, "sample")).rejects.toMatchObject({ code: "cannot-sign" });
  });
});

describe("a signer of one's own", () => {
  const OPENSSL = "openssl cms -sign -binary -noattr -nocerts -outform DER -md sha256";

  test("gets the module, and its name, and gives the signature", async () => {
    const command = `printf %s "$KSPLICE_MODULE" >'${path("name")}'; ${OPENSSL} -signer '${path("rsa.pem")}' -inkey '${path("rsa.key")}'`;
    const signed = await commandSigner(command).sign(module, "ksplice_abc_vmlinux");
    expect(verify(signed, path("rsa.pem"))).toBe("good");
    expect(readFileSync(path("name"), "utf8")).toBe("ksplice_abc_vmlinux");
  });

  test.each([
    ["fails", "echo 'no such key' >&2; exit 3", /sample could not be signed: its signer ended with status 3:\nno such key/],
    ["is not there", "/no/such/signer", /ended with status 127/],
    ["does not read the module, and gives nothing", "true", /it gave nothing/],
    ["gives words", "echo signed", /no PKCS#7 message in DER/],
    ["gives the module back", "cat", /no PKCS#7 message in DER \(PEM, or words\?\)/],
    ["gives half a signature", "printf '\\060\\202\\001\\000x'", /has 5 bytes, and the message in it says 260/],
    ["gives another thing in DER", "printf '\\060\\003\\002\\001\\001'", /no PKCS#7 message with a signature/],
    ["gives too much", "head -c 100000 /dev/zero", /100000 bytes, too many/],
  ])("that %s is refused", async (_, command, words) => {
    await expect(commandSigner(command).sign(module, "sample")).rejects.toMatchObject({
      code: "cannot-sign",
      message: expect.stringMatching(words) as string,
    });
  });
});

describe("a key is refused", () => {
  test.each([
    ["that is not there", "none.key", "rsa.pem", "unusable-key"],
    ["whose certificate is not there", "rsa.key", "none.pem", "unusable-key"],
    ["that is another's than the certificate", "ec.key", "rsa.pem", "cannot-sign"],
    ["that is none", "rsa.pem", "rsa.pem", "cannot-sign"],
    ["whose certificate is none", "rsa.key", "rsa.key", "cannot-sign"],
  ])("%s", async (_, key, certificate, code) => {
    await expect(keySigner({ key: path(key), certificate: path(certificate) }).sign(module, "sample")).rejects.toMatchObject({ code });
  });
});

test("a module without a signature has none", () => {
  expect([hasSignature(module), hasSignature(new Uint8Array()), hasSignature(new TextEncoder().encode(MARKER))]).toEqual([
    false,
    false,
    false,
  ]);
  expect(hasSignature(appendSignature(module, new Uint8Array(3)))).toBe(true);
  expect(findFault(Uint8Array.of(0x30))).toMatch(/has 1 bytes/);
});
