import type { Tell } from "../events.js";
import { thisSystem, type RunningSystem } from "../update/apply/running-system.js";
import { systemAudit, type Audit } from "./audit.js";
import { systemLater, type Later } from "./later.js";
import { machineFacts, type MachineFacts } from "./machine-facts.js";
import type { Place } from "./place.js";
import { UpdateStore } from "./store/update-store.js";

/** All that the service works with. Tests bring a kernel, a clock and a directory of their own. */
export interface Service {
  readonly place: Place;
  readonly store: UpdateStore;
  readonly system: RunningSystem;
  readonly facts: MachineFacts;
  readonly audit: Audit;
  readonly later: Later;
  readonly now: () => Date;
  readonly tell: Tell;
}

/** @param program what runs ksplice: a program, and its first arguments */
export function thisService(place: Place, program: readonly string[], tell: Tell): Service {
  const facts = machineFacts(place);
  return {
    place,
    store: new UpdateStore(place),
    system: thisSystem(),
    facts,
    audit: systemAudit(place),
    later: systemLater(facts, program),
    now: () => new Date(),
    tell,
  };
}
