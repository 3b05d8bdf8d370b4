import { refuseNotRoot } from "../../host/refusals.js";

/** @throws Refusal `not-root` */
export function requireRoot(): void {
  if (process.geteuid?.() !== 0) throw refuseNotRoot();
}
