/**
 * Service CIDR: a ServiceCIDR is Ready once its finalizer is on it, and goes when no address would
 * be left without a range.
 *
 * Units   a range that is being deleted is kept ten seconds more, so that no server still gives out
 *         of it
 * Source  pkg/controller/servicecidrs/servicecidrs_controller.go, pkg/api/servicecidr
 */
import type { IPAddress, ServiceCIDR } from "@nanokube/api/networking/v1";
import { ipAddresses, isNotFound, serviceCIDRs } from "@nanokube/client";
import {
  type IPPrefix,
  parseIP,
  parsePrefix,
  prefixContains,
  usableAddresses,
  valueOfIP,
} from "@nanokube/machinery";
import { findCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import { attempt, type Steps, type Write } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";

const controllerName = "service-cidr-controller";
const finalizer = "networking.k8s.io/service-cidr-finalizer";
const deletionGraceMs = 10_000;

export function createServiceCIDRController(): Controller {
  return {
    name: controllerName,
    watches: [
      watch(serviceCIDRs, (cidr, caches) => [nameOf(cidr), ...overlapping(cidr, caches)]),
      watch(ipAddresses, (address, caches) =>
        isManaged(address) ? holders(nameOf(address), caches) : [],
      ),
    ],
    reconcile: reconcileServiceCIDR,
  };
}

const nameOf = ({ metadata }: ServiceCIDR | IPAddress): string => metadata?.name ?? "";

const isManaged = ({ metadata }: IPAddress): boolean =>
  metadata?.labels?.["ipaddress.kubernetes.io/managed-by"] === "ipallocator.k8s.io";

export function* reconcileServiceCIDR(
  key: string,
  { caches, nowMs }: Context,
): Steps<number | undefined> {
  const cidr = caches.of(serviceCIDRs).get("", key);
  if (cidr === undefined) return undefined;
  const { deletionTimestamp, finalizers = [] } = cidr.metadata ?? {};
  if (deletionTimestamp === undefined) {
    if (!finalizers.includes(finalizer)) yield* patchFinalizers(key, { finalizers: [finalizer] });
    yield* tell(cidr, nowMs, {
      status: "True",
      reason: undefined,
      message: "Kubernetes Service CIDR is ready",
    });
    return undefined;
  }
  if (!mayGo(cidr, caches)) {
    yield* tell(cidr, nowMs, {
      status: "False",
      reason: "Terminating",
      message:
        "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
    });
    return undefined;
  }
  const leftMs = parseTime(deletionTimestamp) + deletionGraceMs - nowMs;
  if (leftMs > 0) return leftMs;
  if (finalizers.includes(finalizer)) {
    yield* patchFinalizers(key, { "$deleteFromPrimitiveList/finalizers": [finalizer] });
  }
  return undefined;
}

function* patchFinalizers(name: string, metadata: object): Steps {
  yield* patch({ name, patch: { metadata }, type: "strategic" });
}

/** Of one that may be gone by now. */
function* patch(
  part: Pick<Patch, "name" | "patch" | "type" | "subresource" | "fieldManager">,
): Steps {
  const { error } = yield* attempt({
    do: "patch",
    resource: serviceCIDRs,
    namespace: "",
    ...part,
  });
  if (error !== undefined && !isNotFound(error)) throw error;
}

type Patch = Extract<Write, { do: "patch" }>;

interface Told {
  status: string;
  reason: string | undefined;
  message: string;
}

function* tell(cidr: ServiceCIDR, nowMs: number, { status, reason, message }: Told): Steps {
  const current = findCondition(cidr.status?.conditions, "Ready");
  const isSame =
    current?.status === status &&
    (current.reason ?? "") === (reason ?? "") &&
    current.message === message;
  if (isSame) return;
  const condition = {
    type: "Ready",
    status,
    reason,
    message,
    lastTransitionTime: formatTime(nowMs),
  };
  const applied = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: nameOf(cidr) },
    status: { conditions: [condition] },
  };
  yield* patch({
    name: nameOf(cidr),
    patch: applied,
    type: "apply",
    subresource: "status",
    fieldManager: controllerName,
  });
}

const prefixesOf = (cidr: ServiceCIDR): IPPrefix[] =>
  (cidr.spec?.cidrs ?? []).flatMap((text) => parsePrefix(text) ?? []);

function overlap(a: IPPrefix, b: IPPrefix): boolean {
  return a.bits <= b.bits ? prefixContains(a, b.bytes) : prefixContains(b, a.bytes);
}

function overlapping(cidr: ServiceCIDR, caches: Caches): string[] {
  const own = prefixesOf(cidr);
  return [...caches.of(serviceCIDRs).list()]
    .filter((other) => prefixesOf(other).some((prefix) => own.some((one) => overlap(one, prefix))))
    .map(nameOf);
}

function holds(prefix: IPPrefix, address: readonly number[]): boolean {
  if (prefix.bytes.length !== address.length) return false;
  const { first, last } = usableAddresses(prefix);
  const value = valueOfIP(address);
  return value >= first && value <= last;
}

/** Names of the ServiceCIDRs that an address may be of. */
function holders(address: string, caches: Caches): string[] {
  const bytes = parseIP(address);
  if (bytes === undefined) return [];
  return [...caches.of(serviceCIDRs).list()]
    .filter((cidr) => prefixesOf(cidr).some((prefix) => holds(prefix, bytes)))
    .map(nameOf);
}

/** Each address has another range; or there is a larger, or an equal one, for each of the ranges. */
function mayGo(cidr: ServiceCIDR, caches: Caches): boolean {
  const others = [...caches.of(serviceCIDRs).list()].filter(
    (other) => nameOf(other) !== nameOf(cidr),
  );
  const own = prefixesOf(cidr);
  const hasParents = own.every((prefix) =>
    others.some((other) =>
      prefixesOf(other).some((one) => one.bits <= prefix.bits && overlap(one, prefix)),
    ),
  );
  if (hasParents) return true;
  return ![...caches.of(ipAddresses).list()].some((address) => {
    if (!isManaged(address)) return false;
    const names = holders(nameOf(address), caches);
    return names.length === 1 && names[0] === nameOf(cidr);
  });
}
