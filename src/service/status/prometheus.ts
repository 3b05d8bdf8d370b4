import type { Status } from "./status-schema.js";

/** For node_exporter's textfile collector: no times, and a last line that ends. */
export function prometheusText({ kernel, state, updates }: Status): string {
  const states = ["in-order", "not-applied", "failed", "reboot-needed", "unsupported-kernel"] as const;
  const applied = updates.filter((update) => update.state === "applied");
  const lines = [
    ...head("ksplice_kernel_info", "The running kernel, and the version whose fixes it has."),
    `ksplice_kernel_info{release=${quote(kernel.release)},effective=${quote(kernel.effective)}} 1`,
    ...head("ksplice_state", "What ksplice status says: 1 for the state that the machine is in."),
    ...states.map((each) => `ksplice_state{state=${quote(each)}} ${each === state ? 1 : 0}`),
    ...head("ksplice_updates_applied", "Updates in the running kernel."),
    `ksplice_updates_applied ${applied.length}`,
    ...head("ksplice_updates_in_service", "Updates in the store for the running kernel."),
    `ksplice_updates_in_service ${updates.filter(({ inService }) => inService).length}`,
    ...head("ksplice_update_applied", "Whether an update is in the running kernel."),
    ...updates.map(
      (update) => `ksplice_update_applied{id=${quote(update.id)},state=${quote(update.state)}} ${update.state === "applied" ? 1 : 0}`,
    ),
    ...head("ksplice_update_stop_seconds", "How long the machine was stopped to apply an update."),
    ...applied.flatMap(({ id, stopNs }) => (stopNs === undefined ? [] : [`ksplice_update_stop_seconds{id=${quote(id)}} ${stopNs / 1e9}`])),
  ];
  return `${lines.join("\n")}\n`;
}

function head(name: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
}

function quote(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
