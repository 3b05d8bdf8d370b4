import { testTree } from "./trees.js";

/** Before the tests, which run beside each other: they would all want to unpack the same kernels. */
export async function setup(): Promise<void> {
  await testTree("6.1");
  await testTree("6.12");
  await testTree("6.12", "trixie");
}
