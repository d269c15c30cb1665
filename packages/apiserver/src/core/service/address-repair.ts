/**
 * Does each cluster IP have its IPAddress, and each IPAddress of the allocator its Service? What is
 * wrong is told in upstream's words, with what is to be done about it.
 *
 * Units   milliseconds
 * Source  pkg/registry/core/service/ipallocator/controller/repairip.go
 */
import type { Service } from "@nanokube/api/core/v1";
import type { IPAddress } from "@nanokube/api/networking/v1";
import { formatIP, type KubeObject, parseIP } from "@nanokube/machinery";

/** An event's words. */
export interface RepairNote {
  reason: string;
  action: string;
  note: string;
}

export interface KnownAddresses {
  isInRange(address: string): boolean;
  address(name: string): IPAddress | undefined;
  service(namespace: string, name: string): Service | undefined;
}

export interface ServiceRepair {
  notes: RepairNote[];
  /** Those that are to be made, and of them those that are to be deleted before. */
  create: string[];
  remove: string[];
}

export interface AddressRepair {
  notes: RepairNote[];
  remove: boolean;
  /** Too early to tell: to be looked at once more. */
  againInMs?: number;
}

export const managerLabel = "ipaddress.kubernetes.io/managed-by";
export const familyLabel = "ipaddress.kubernetes.io/ip-family";
export const manager = "ipallocator.k8s.io";

/** A Service is written behind its addresses, within the time of a request. */
const graceMs = 60_000;
/** A Service whose creation fails gives its address back within this time. */
const undoMs = 5_000;

const allocation = "ClusterIPAllocation";
const familyOf = (address: string): string => (address.includes(":") ? "IPv6" : "IPv4");

export function repairService(service: Service, known: KnownAddresses): ServiceRepair {
  const found: ServiceRepair = { notes: [], create: [], remove: [] };
  for (const clusterIP of allocatedIPs(service)) checkIP(service, clusterIP, known, found);
  return found;
}

/** None of a Service that has no address, or none of its own. */
function allocatedIPs({ spec }: Service): readonly string[] {
  const { clusterIP = "", clusterIPs = [], type } = spec ?? {};
  if (clusterIP === "" || clusterIP === "None" || type === "ExternalName") return [];
  return clusterIPs;
}

function checkIP(
  service: Service,
  clusterIP: string,
  known: KnownAddresses,
  { notes, create, remove }: ServiceRepair,
): void {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const say = (reason: string, note: string, action = allocation) =>
    notes.push({ reason, action, note });
  const bytes = parseIP(clusterIP);
  if (bytes === undefined) {
    const note = "Cluster IP <nil> is not a valid IP; please recreate Service";
    say("ClusterIPNotValid", note, "ClusterIPValidation");
    return;
  }
  const ip = formatIP(bytes);
  const family = familyOf(ip);
  if (!known.isInRange(ip)) {
    const why = "is not within any configured Service CIDR; please recreate service";
    say("ClusterIPOutOfRange", `Cluster IP [${family}]: ${ip} ${why}`);
    return;
  }
  const address = known.address(ip);
  if (address === undefined) {
    say("ClusterIPNotAllocated", `Cluster IP [${family}]: ${ip} is not allocated; repairing`);
    create.push(ip);
    return;
  }
  const again = (): void => {
    remove.push(ip);
    create.push(ip);
  };
  const { parentRef = {} } = address.spec ?? {};
  const other = known.service(parentRef.namespace ?? "", parentRef.name ?? "");
  const isOwn = parentRef.namespace === namespace && parentRef.name === name;
  if (!isOfService(address) || (!isOwn && other === undefined)) {
    const what = `the ClusterIP [${family}]: ${ip} for Service ${namespace}/${name}`;
    say("ClusterIPNotAllocated", `${what} has a wrong reference; repairing`);
    again();
    return;
  }
  if (!isOwn && other?.spec?.clusterIPs?.includes(ip)) {
    const why = "was assigned to multiple services; please recreate service";
    say("ClusterIPAlreadyAllocated", `Cluster IP [${family}]:${ip} ${why}`);
  }
  const labels = address.metadata?.labels ?? {};
  if (labels[managerLabel] !== manager || labels[familyLabel] !== family) again();
}

function isOfService({ spec }: IPAddress): boolean {
  const { group = "", resource = "" } = spec?.parentRef ?? {};
  return group === "" && resource === "services";
}

export function repairAddress(
  address: IPAddress,
  known: KnownAddresses,
  nowMs: number,
): AddressRepair {
  const nothing: AddressRepair = { notes: [], remove: false };
  const { name: ip = "", labels = {} } = address.metadata ?? {};
  if (labels[managerLabel] !== manager) return nothing;
  const { group = "", resource = "", namespace = "", name = "" } = address.spec?.parentRef ?? {};
  const cleanUp = (reason: string, note: string): AddressRepair => ({
    notes: [{ reason, action: "IPAddressAllocation", note }],
    remove: true,
  });
  if (!isOfService(address)) {
    const reference = `Group:${group},Resource:${resource},Namespace:${namespace},Name:${name}`;
    const what = `not referencing a Service &ParentReference{${reference},}: cleaning up`;
    return cleanUp(
      "IPAddressNotAllocated",
      `IPAddress ${ip} appears to have been modified, ${what}`,
    );
  }
  const lifeMs = nowMs - createdMs(address);
  const service = known.service(namespace, name);
  if (service === undefined) {
    if (lifeMs <= graceMs) return { ...nothing, againInMs: graceMs - lifeMs + 1 };
    const what = `for Service ${namespace}/${name} appears to have leaked: cleaning up`;
    return cleanUp("IPAddressNotAllocated", `IPAddress: ${ip} ${what}`);
  }
  if (service.spec?.clusterIPs?.includes(ip)) return nothing;
  if (service.spec?.type === "ExternalName" && lifeMs < graceMs) {
    return { ...nothing, againInMs: graceMs - lifeMs };
  }
  if (createdMs(address) > createdMs(service) && lifeMs < undoMs) {
    return { ...nothing, againInMs: undoMs };
  }
  const what = `for Service ${namespace}/${name} has a wrong reference; cleaning up`;
  return cleanUp("IPAddressWrongReference", `IPAddress: ${ip} ${what}`);
}

function createdMs({ metadata }: KubeObject): number {
  return Date.parse(metadata?.creationTimestamp ?? "1970-01-01T00:00:00Z");
}

/** What is made in its place. */
export function addressFor(ip: string, { metadata }: Service): KubeObject {
  const { namespace = "", name = "" } = metadata ?? {};
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name: ip, labels: { [familyLabel]: familyOf(ip), [managerLabel]: manager } },
    spec: { parentRef: { group: "", resource: "services", namespace, name } },
  } as KubeObject;
}
