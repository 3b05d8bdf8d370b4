import { describe, expect, it } from "vitest";
import { rowsOf } from "../../../matrix/choose-rows.js";

const kernel = (release: string, version: string) => ({ release, version, sourceAvailable: true });

describe("the kernels that are measured", () => {
  it("are, of each series and flavour, the newest that a later upstream release follows", () => {
    const rows = rowsOf("bookworm", [
      kernel("6.1.0-53-amd64", "6.1.187-1"),
      kernel("6.1.0-54-amd64", "6.1.190-1"),
      kernel("6.1.0-54-cloud-amd64", "6.1.190-1"),
      kernel("6.1.0-55-amd64", "6.1.192-1"),
      kernel("6.1.0-56-amd64", "6.1.192-2"),
      kernel("6.12.95+deb12-amd64", "6.12.95-1~bpo12+1"),
      kernel("6.12.107+deb12-amd64", "6.12.107-1~deb12u1"),
    ]);
    expect(rows.map(({ release, next }) => [release, next])).toEqual([
      ["6.1.0-54-amd64", "6.1.192-1"],
      ["6.1.0-54-cloud-amd64", undefined],
      ["6.12.95+deb12-amd64", "6.12.107-1~deb12u1"],
    ]);
  });
});
