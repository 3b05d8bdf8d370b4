import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Tell } from "../../src/events.js";
import type { AuditEvent } from "../../src/service/audit.js";
import { machineFacts, type MachineFacts } from "../../src/service/machine-facts.js";
import type { Service } from "../../src/service/service.js";
import { UpdateStore } from "../../src/service/store/update-store.js";
import { FakeSystem, type FakeSystemOptions } from "./fake-system.js";
import { placeIn } from "./store-samples.js";
import { writeFiles } from "./temp-dir.js";

/** A machine in a directory, that can be booted anew, with a kernel that keeps a list of updates. */
export class FakeMachine {
  readonly events: AuditEvent[] = [];
  readonly said: string[] = [];
  /** What was asked to be started later: unit, arguments, seconds. */
  readonly later: string[] = [];
  time = new Date("2026-11-27T01:02:03Z");
  system: FakeSystem;
  #boots = 0;

  constructor(
    readonly root: string,
    private readonly options: FakeSystemOptions = {},
  ) {
    mkdirSync(root, { recursive: true });
    this.system = new FakeSystem(options);
    this.boot();
  }

  /** Another boot: the kernel is empty, what is below /run is gone only if the caller removes it. @param cmdline of the kernel */
  boot(cmdline = "ro quiet", options: FakeSystemOptions = this.options): this {
    this.system = new FakeSystem(options);
    writeFiles(this.root, {
      "proc/sys/kernel/random/boot_id": `boot-${++this.#boots}\n`,
      "proc/cmdline": `${cmdline}\n`,
      "proc/uptime": "10.00 5.00\n",
      "proc/modules": "",
    });
    return this;
  }

  passes(seconds: number): void {
    writeFiles(this.root, { "proc/uptime": `${this.facts.uptime() + seconds}.00 5.00\n` });
    this.time = new Date(this.time.getTime() + seconds * 1000);
  }

  get facts(): MachineFacts {
    return machineFacts(placeIn(this.root));
  }

  get service(): Service {
    const place = placeIn(this.root);
    const tell: Tell = (kind, message) => {
      if (kind === "warning" || kind === "note") this.said.push(message);
    };
    return {
      place,
      store: new UpdateStore(place),
      system: this.system,
      facts: this.facts,
      audit: async (event) => {
        await Promise.resolve(this.events.push(event));
      },
      later: {
        start: async (unit, args, seconds) => {
          await Promise.resolve(this.later.push(`${unit}: ${args.join(" ")} in ${seconds} s`));
        },
      },
      now: () => this.time,
      tell,
    };
  }

  path(name: string): string {
    return join(this.root, name);
  }
}
