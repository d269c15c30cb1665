/**
 * The node ports of one Service, and its port for health checks.
 *
 * Errors  422 with the allocator's text, 500 when the range is full
 * Source  pkg/registry/core/service/storage/alloc.go initNodePorts, updateNodePorts;
 *         storage.go patchAllocatedValues
 */
import type { Service, ServicePort, ServiceSpec } from "@nanokube/api/core/v1";
import { internalError, invalid, invalidValue } from "@nanokube/machinery";
import type { NodePorts } from "./node-ports.ts";
import type { Steps } from "./steps.ts";

const gk = { group: "", kind: "Service" };

/** An update that does not say its node ports keeps them, by the names of the ports. */
export function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  if (!needsNodePorts(spec) || !needsNodePorts(old)) return;
  const portsIn = (of: ServiceSpec) =>
    (of.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port !== 0);
  const mentioned = new Set(portsIn(spec));
  const used = new Set(portsIn(old).filter((port) => mentioned.has(port)));
  const byName = new Map(old.ports?.map(({ name = "", nodePort }) => [name, nodePort]));
  for (const port of spec.ports ?? []) {
    const before = byName.get(port.name ?? "");
    if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
  }
  if (!spec.healthCheckNodePort && old.healthCheckNodePort && needsHealthPort(spec)) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

function needsNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

function needsHealthPort(spec: ServiceSpec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Ports the Service held before are its own. A reserved one is the Service's once it is stored. */
export function allocatePorts(
  ports: NodePorts,
  service: Service,
  own: ReadonlySet<number>,
  undo: Steps,
): void {
  const spec = service.spec ?? {};
  const name = service.metadata?.name ?? "";
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  const mine = new Set(own);
  const hold = (port: number): void => {
    mine.add(port);
    undo.push(() => ports.release(port));
  };
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!isAsked(port) || mine.has(port.nodePort)) continue;
    const problem = ports.reserve(port.nodePort);
    if (problem !== undefined) {
      throw invalid(gk, name, [invalidValue(`spec.ports[${i}].nodePort`, port.nodePort, problem)]);
    }
    hold(port.nodePort);
  }
  if (needsNodePorts(spec)) {
    for (const port of spec.ports ?? []) if (!isAsked(port)) choosePort(ports, spec, port, hold);
  }
  if (needsHealthPort(spec)) allocateHealthPort(ports, spec, mine, hold);
}

/** A port below zero is taken for none. */
const isAsked = (port: ServicePort): port is ServicePort & { nodePort: number } =>
  (port.nodePort ?? 0) > 0;

function allocateHealthPort(
  ports: NodePorts,
  spec: ServiceSpec,
  mine: ReadonlySet<number>,
  hold: (port: number) => void,
): void {
  const asked = spec.healthCheckNodePort;
  if (!asked) {
    const chosen = ports.reserveAny();
    if (chosen === undefined) {
      throw internalError("failed to allocate a HealthCheck NodePort 0: range is full");
    }
    spec.healthCheckNodePort = chosen;
    hold(chosen);
    return;
  }
  if (mine.has(asked)) return;
  const problem = ports.reserve(asked);
  if (problem !== undefined) {
    throw internalError(`failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`);
  }
  hold(asked);
}

/** The same port number over another protocol shares the node port. */
function choosePort(
  ports: NodePorts,
  spec: ServiceSpec,
  port: ServicePort,
  hold: (port: number) => void,
): void {
  const twin = spec.ports?.find(
    (other) =>
      other !== port &&
      other.port === port.port &&
      other.protocol !== port.protocol &&
      isAsked(other),
  );
  if (twin?.nodePort) {
    port.nodePort = twin.nodePort;
    return;
  }
  const chosen = ports.reserveAny();
  if (chosen === undefined) throw internalError("failed to allocate a nodePort: range is full");
  port.nodePort = chosen;
  hold(chosen);
}
