/**
 * Host ports that pods claim: two pods of a node cannot have the same one.
 *
 * Source  pkg/scheduler/framework/plugins/nodeports/node_ports.go, kube-scheduler HostPortInfo
 */
import type { Pod } from "@nanokube/api/core/v1";
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";

interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

const anyAddress = "0.0.0.0";

function hostPorts({ spec }: Pod): HostPort[] {
  const lasting = [...initContainersOf(spec).filter(isSidecar), ...containersOf(spec)];
  return lasting
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => (hostPort ?? 0) > 0)
    .map(({ hostPort, hostIP, protocol }) => ({
      ip: hostIP || anyAddress,
      protocol: protocol || "TCP",
      port: hostPort ?? 0,
    }));
}

function collide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress;
}

export function hasFreeHostPorts(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return true;
  const taken = others.flatMap(hostPorts);
  return !wanted.some((port) => taken.some((other) => collide(port, other)));
}
