import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Makes a key and its certificate, NAME.key, NAME.pem and NAME.der, whose common name is `test NAME`. @param kind what `openssl req` makes; default: RSA */
export function makeSigningKey(dir: string, name: string, kind: readonly string[] = ["-newkey", "rsa:2048"]): void {
  const [key, certificate, der] = ["key", "pem", "der"].map((ending) => join(dir, `${name}.${ending}`)) as [string, string, string];
  const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  openssl("req", "-x509", "-nodes", ...kind, "-days", "2", "-subj", `/CN=test ${name}`, "-keyout", key, "-out", certificate);
  openssl("x509", "-in", certificate, "-outform", "DER", "-out", der);
}
