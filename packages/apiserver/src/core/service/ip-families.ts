/**
 * Which families a Service is of: what it says, or what its addresses, its policy and the cluster
 * make of it.
 *
 * Errors  422 with upstream's fields and texts
 * Source  pkg/registry/core/service/storage/alloc.go initIPFamilyFields
 */
import type { Service, ServiceSpec } from "@nanokube/api/core/v1";
import { type FieldError, type IPFamily, invalid, invalidValue } from "@nanokube/machinery";
import { validateClusterIPs } from "../../resources/core/service/cluster-ips.ts";
import { familyOf } from "../../resources/ip.ts";

const gk = { group: "", kind: "Service" };

export interface ClusterFamilies {
  defaultFamily: IPFamily;
  families: ReadonlySet<IPFamily>;
}

/** Completes ipFamilyPolicy and ipFamilies, and cuts clusterIPs down to what the policy leaves. */
export function completeFamilies(
  service: Service,
  old: Service | undefined,
  cluster: ClusterFamilies,
): void {
  service.spec ??= {};
  const { spec } = service;
  if (spec.type === "ExternalName" || keepsPreference(service, old)) return;
  spec.ipFamilyPolicy ??= old?.spec?.ipFamilyPolicy ?? (isBare(spec) ? dual : single);
  refuse(service, validateClusterIPs(service, old));
  refuse(service, [
    ...(old === undefined ? [] : reduce(spec, old.spec ?? {})),
    ...contradictions(spec),
    ...infer(spec, cluster.families),
  ]);
  if (isBare(spec)) {
    // Endpoints of such a Service are named by hand: any family may be among them.
    spec.ipFamilies = familiesOf(spec, cluster.defaultFamily);
    if (spec.ipFamilyPolicy !== single) addOther(spec.ipFamilies);
    return;
  }
  refuse(service, unknownFamilies(spec, cluster.families));
  spec.ipFamilies = familiesOf(spec, cluster.defaultFamily);
  if (spec.ipFamilyPolicy !== single && cluster.families.size === 2) addOther(spec.ipFamilies);
}

const single = "SingleStack";
const dual = "RequireDualStack";

/** Headless and without a selector. */
const isBare = (spec: ServiceSpec): boolean =>
  spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;

const familiesOf = (spec: ServiceSpec, cluster: IPFamily): string[] =>
  spec.ipFamilies?.length ? [...spec.ipFamilies] : [cluster];

function addOther(families: string[]): void {
  if (families.length === 1) families.push(families[0] === "IPv4" ? "IPv6" : "IPv4");
}

const same = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** A Service that prefers two stacks is not changed because the cluster was. */
export function keepsPreference({ spec = {} }: Service, old: Service | undefined): boolean {
  const before = old?.spec;
  if (before === undefined || spec.ipFamilyPolicy !== "PreferDualStack") return false;
  if (before.type !== spec.type || spec.type === "ExternalName") return false;
  if ((before.ipFamilyPolicy ?? "PreferDualStack") !== "PreferDualStack") return false;
  return same(before.clusterIPs, spec.clusterIPs) && same(before.ipFamilies, spec.ipFamilies);
}

/** SingleStack says to let go of the second; no other policy does. */
function reduce(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (spec.ipFamilyPolicy === single) {
    for (const name of ["clusterIPs", "ipFamilies"] as const) {
      if (same(before[name], spec[name]) && (spec[name]?.length ?? 0) > 1) {
        spec[name] = spec[name]!.slice(0, 1);
      }
    }
    return [];
  }
  const isReduced = (name: "clusterIPs" | "ipFamilies"): boolean => {
    const length = spec[name]?.length ?? 0;
    return length > 0 && length < (before[name]?.length ?? 0);
  };
  const errors: FieldError[] = [];
  const why = "must be 'SingleStack' to release the secondary";
  if (isReduced("clusterIPs")) errors.push(badPolicy(spec, `${why} cluster IP`));
  if (isReduced("ipFamilies")) errors.push(badPolicy(spec, `${why} IP family`));
  return errors;
}

function badPolicy(spec: ServiceSpec, why: string): FieldError {
  return invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why);
}

function contradictions(spec: ServiceSpec): FieldError[] {
  if (spec.ipFamilyPolicy !== single) return [];
  const errors: FieldError[] = [];
  const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  if (spec.clusterIPs?.length === 2)
    errors.push(badPolicy(spec, `${why} cluster IPs are specified`));
  if (spec.ipFamilies?.length === 2)
    errors.push(badPolicy(spec, `${why} IP families are specified`));
  return errors;
}

/** Addresses tell their families. */
function infer(spec: ServiceSpec, known: ReadonlySet<IPFamily>): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === "None") break;
    if (i < (spec.ipFamilies?.length ?? 0)) continue;
    const family = familyOf(ip)!;
    if (known.has(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else {
      const why = `${family} is not configured on this cluster`;
      errors.push(invalidValue(`spec.clusterIPs[${i}]`, spec.clusterIPs, why));
    }
  }
  return errors;
}

function unknownFamilies(spec: ServiceSpec, known: ReadonlySet<IPFamily>): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === dual && known.size < 2) {
    errors.push(badPolicy(spec, "this cluster is not configured for dual-stack services"));
  }
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (known.has(family as IPFamily)) continue;
    errors.push(invalidValue(`spec.ipFamilies[${i}]`, family, "not configured on this cluster"));
  }
  return errors;
}

function refuse(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(gk, service.metadata?.name ?? "", errors);
}
