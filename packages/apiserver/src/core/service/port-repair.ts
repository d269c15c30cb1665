/**
 * Node ports that two Services have, or that lie outside the range: told in upstream's words. The
 * Services are the record of their ports here, so that none is ever found unallocated.
 *
 * Source  pkg/registry/core/service/portallocator/controller/repair.go
 */
import type { Service } from "@nanokube/api/core/v1";
import type { RepairNote } from "./address-repair.ts";
import type { PortRange } from "./node-ports.ts";

export interface NotedService {
  service: Service;
  note: RepairNote;
}

/** In the order of the Services: the first one keeps a port. */
export function checkNodePorts(services: readonly Service[], range: PortRange): NotedService[] {
  const taken = new Set<number>();
  const found: NotedService[] = [];
  for (const service of services) {
    const say = (reason: string, note: string) =>
      found.push({ service, note: { reason, action: "PortAllocation", note } });
    for (const port of nodePortsOf(service)) {
      if (port < range.first || port > range.last) {
        const why = `is not within the port range ${range.first}-${range.last}`;
        say("PortOutOfRange", `Port ${port} ${why}; please recreate service`);
      } else if (taken.has(port)) {
        const why = "was assigned to multiple services; please recreate service";
        say("PortAlreadyAllocated", `Port ${port} ${why}`);
      } else taken.add(port);
    }
  }
  return found;
}

/** A port of two protocols counts once; twice of one protocol, twice. */
function nodePortsOf({ spec }: Service): number[] {
  const ports: number[] = [];
  const seen = new Set<string>();
  const add = (port: number, protocol: string): void => {
    const isOther = [...seen].some((key) => key.startsWith(`${port}/`));
    const isSame = seen.has(`${port}/${protocol}`);
    seen.add(`${port}/${protocol}`);
    if (!isOther || isSame) ports.push(port);
  };
  for (const { nodePort, protocol = "TCP" } of spec?.ports ?? []) {
    if (nodePort) add(nodePort, protocol);
  }
  if (spec?.healthCheckNodePort) add(spec.healthCheckNodePort, "TCP");
  return ports;
}
