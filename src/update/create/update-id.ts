import { randomInt } from "node:crypto";
import { ID_PATTERN } from "../file/manifest.js";
import { badId } from "./refusals.js";

const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Eight random letters and digits, as the original's. */
export function randomId(): string {
  return Array.from({ length: 8 }, () => ID_LETTERS.charAt(randomInt(ID_LETTERS.length))).join("");
}

/** @throws Refusal `bad-id` */
export function checkId(id: string): string {
  if (!ID_PATTERN.test(id)) throw badId(id);
  return id;
}
