import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Makes a key and its certificate, NAME.key and NAME.pem, whose common name is `test NAME`. @param kind what `openssl req` makes; default: RSA */
export function makeSigningKey(dir: string, name: string, kind: readonly string[] = ["-newkey", "rsa:2048"]): void {
  const files = ["-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.pem`)];
  execFileSync("openssl", ["req", "-x509", "-nodes", ...kind, "-days", "2", "-subj", `/CN=test ${name}`, ...files], { stdio: "ignore" });
}
