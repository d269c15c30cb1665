/**
 * What a Service gets when it is written: cluster IP, IP family, node ports; and gives back.
 *
 * Errors  422 with the allocator's text, 500 when a range is full
 * Source  pkg/registry/core/service/storage/alloc.go
 */
import type { Service, ServicePort, ServiceSpec } from "@nanokube/api/core/v1";
import { internalError, invalid, invalidValue, type KubeObject } from "@nanokube/machinery";
import type { WriteHooks } from "../rest/context.ts";
import { AllocationError, type ClusterIPs } from "./cluster-ips.ts";
import { type NodePorts, portsOf } from "./node-ports.ts";

const gk = { group: "", kind: "Service" };
type Undo = (() => void | Promise<void>)[];

export interface ServiceAllocators {
  ips: ClusterIPs;
  ports: NodePorts;
}

export function createServiceHooks({ ips, ports }: ServiceAllocators): WriteHooks {
  return {
    async beginCreate(object, dryRun) {
      const service = object as Service;
      const undo: Undo = [];
      try {
        fillFamilies(service, undefined);
        await allocateIP(ips, service, dryRun, undo);
        allocatePorts(ports, service, new Set(), undo);
      } catch (error) {
        await runAll(undo);
        throw error;
      }
      return { done: async () => undefined, undo: () => runAll(undo) };
    },
    async beginUpdate(object, old, dryRun) {
      return changeService({ ips, ports }, object as Service, old as Service, dryRun);
    },
    async afterDelete(object) {
      const { name = "", namespace = "" } = object.metadata ?? {};
      for (const ip of addressesOf(object as Service)) await ips.release(ip, namespace, name);
    },
  };
}

async function changeService(
  { ips, ports }: ServiceAllocators,
  service: Service,
  old: Service,
  dryRun: boolean,
): Promise<{ done(): Promise<void>; undo(): Promise<void> }> {
  const undo: Undo = [];
  const done: Undo = [];
  const { name = "", namespace = "" } = service.metadata ?? {};
  const spec = specOf(service);
  try {
    keepAllocations(spec, specOf(old));
    fillFamilies(service, old);
    const before = addressesOf(old);
    if (spec.type === "ExternalName") {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      if (!dryRun) done.push(...before.map((ip) => () => ips.release(ip, namespace, name)));
    } else if (before.length === 0) {
      await allocateIP(ips, service, dryRun, undo);
    }
    allocatePorts(ports, service, portsOf(old as KubeObject), undo);
  } catch (error) {
    await runAll(undo);
    throw error;
  }
  return { done: () => runAll(done), undo: () => runAll(undo) };
}

/** An update that does not say what was allocated keeps it. */
function keepAllocations(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === "ExternalName" || old.type === "ExternalName") return;
  if (!spec.clusterIP && !spec.clusterIPs?.length) {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  }
  if (!needsNodePorts(spec) || !needsNodePorts(old)) return;
  const byPort = new Map(
    old.ports?.map((port) => [`${port.protocol}/${port.port}`, port.nodePort]),
  );
  const mentioned = new Set(spec.ports?.map((port) => port.nodePort).filter(Boolean));
  for (const port of spec.ports ?? []) {
    const before = byPort.get(`${port.protocol}/${port.port}`);
    if (!port.nodePort && before && !mentioned.has(before)) port.nodePort = before;
  }
  if (!spec.healthCheckNodePort && old.healthCheckNodePort && needsHealthPort(spec)) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

function specOf(service: Service): ServiceSpec {
  service.spec ??= {} as ServiceSpec;
  return service.spec;
}

function addressesOf(service: Service): string[] {
  const { clusterIPs = [], clusterIP } = service.spec ?? {};
  const all = clusterIPs.length > 0 ? [...clusterIPs] : [clusterIP ?? ""];
  return all.filter((ip) => ip !== "" && ip !== "None");
}

function fillFamilies(service: Service, old: Service | undefined): void {
  const spec = specOf(service);
  if (spec.type === "ExternalName") return;
  if (spec.ipFamilyPolicy === undefined) {
    const headlessBare = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
    spec.ipFamilyPolicy =
      old?.spec?.ipFamilyPolicy ?? (headlessBare ? "RequireDualStack" : "SingleStack");
  }
  const name = service.metadata?.name ?? "";
  const headless = spec.clusterIP === "None";
  if (spec.ipFamilyPolicy === "RequireDualStack" && !headless) {
    throw invalid(gk, name, [
      invalidValue(
        "spec.ipFamilyPolicy",
        spec.ipFamilyPolicy,
        "this cluster is not configured for dual-stack services",
      ),
    ]);
  }
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (family === "IPv4" || (headless && !spec.selector)) continue;
    throw invalid(gk, name, [
      invalidValue(`spec.ipFamilies[${i}]`, family, "not configured on this cluster"),
    ]);
  }
  if (!spec.ipFamilies?.length) {
    const both = headless && spec.ipFamilyPolicy === "RequireDualStack";
    spec.ipFamilies = both ? ["IPv4", "IPv6"] : ["IPv4"];
  }
}

async function allocateIP(
  ips: ClusterIPs,
  service: Service,
  dryRun: boolean,
  undo: Undo,
): Promise<void> {
  const spec = specOf(service);
  const { name = "", namespace = "" } = service.metadata ?? {};
  if (spec.type === "ExternalName") return;
  const wanted = spec.clusterIPs?.[0] ?? spec.clusterIP ?? "";
  if (wanted === "None") {
    spec.clusterIP = "None";
    spec.clusterIPs = ["None"];
    return;
  }
  let address = wanted;
  try {
    if (wanted === "") address = await ips.takeAny(namespace, name, dryRun);
    else await ips.take(wanted, namespace, name, dryRun);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    const why = wanted === "" ? error.message : `failed to allocate IP ${wanted}: ${error.message}`;
    if (wanted === "") {
      throw internalError(`failed to allocate a serviceIP for Service "${name}": ${why}`);
    }
    const bad = spec.clusterIPs?.length ? spec.clusterIPs : [wanted];
    throw invalid(gk, name, [invalidValue("spec.clusterIPs", bad, why)]);
  }
  if (!dryRun) undo.push(() => ips.release(address, namespace, name));
  spec.clusterIP = address;
  spec.clusterIPs = [address];
}

function needsNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

function needsHealthPort(spec: ServiceSpec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Ports the Service held before are its own. A reserved one is the Service's once it is stored. */
function allocatePorts(
  ports: NodePorts,
  service: Service,
  own: ReadonlySet<number>,
  undo: Undo,
): void {
  const spec = specOf(service);
  const name = service.metadata?.name ?? "";
  const asked = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (!asked) {
    for (const port of spec.ports ?? []) delete port.nodePort;
    delete spec.healthCheckNodePort;
    return;
  }
  const mine = new Set(own);
  const hold = (port: number): void => {
    mine.add(port);
    undo.push(() => ports.release(port));
  };
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort || mine.has(port.nodePort)) continue;
    const problem = ports.reserve(port.nodePort);
    if (problem !== undefined) {
      throw invalid(gk, name, [invalidValue(`spec.ports[${i}].nodePort`, port.nodePort, problem)]);
    }
    hold(port.nodePort);
  }
  if (needsNodePorts(spec)) {
    for (const port of spec.ports ?? []) if (!port.nodePort) choosePort(ports, spec, port, hold);
  }
  if (!needsHealthPort(spec)) {
    delete spec.healthCheckNodePort;
  } else if (!spec.healthCheckNodePort) {
    const chosen = ports.reserveAny();
    if (chosen === undefined)
      throw internalError("failed to allocate a HealthCheck NodePort 0: range is full");
    spec.healthCheckNodePort = chosen;
    hold(chosen);
  }
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
      other.nodePort,
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

async function runAll(steps: Undo): Promise<void> {
  for (const step of steps) await step();
}
