/**
 * clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy must tell one story, and tell it for ever.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateServiceClusterIPsRelatedFields,
 *         validateUpgradeDowngradeClusterIPs, validateUpgradeDowngradeIPFamilies
 */
import type { Service } from "@nanokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  field,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../../field.ts";
import { familyOf, validateIP } from "../../ip.ts";
import { isHeadless } from "./shape.ts";

const path = field("spec");
const ipsPath = path.child("clusterIPs");
const familiesPath = path.child("ipFamilies");
const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

function validateFamilies(service: Service): FieldError[] {
  const { ipFamilies = [], ipFamilyPolicy } = service.spec ?? {};
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, family] of ipFamilies.entries()) {
    const at = familiesPath.index(i);
    if (family !== "IPv4" && family !== "IPv6") {
      errors.push(notSupported(at, family, ["IPv4", "IPv6"]));
    }
    if (seen.has(family)) errors.push(duplicate(at, family));
    seen.add(family);
  }
  if (ipFamilyPolicy !== undefined) {
    errors.push(...oneOf(path.child("ipFamilyPolicy"), ipFamilyPolicy, policies));
  }
  return errors;
}

export function validateClusterIPs(service: Service, old: Service | undefined): FieldError[] {
  const { type, clusterIP = "", clusterIPs = [], ipFamilies = [] } = service.spec ?? {};
  if (type === "ExternalName") return [];
  const errors: FieldError[] = [];
  if (clusterIP !== "") {
    if (clusterIPs.length === 0) errors.push(required(ipsPath));
    else if (clusterIPs[0] !== clusterIP) {
      errors.push(invalid(ipsPath, clusterIPs, "first value must match `clusterIP`"));
    }
  } else if (clusterIPs.length > 0) {
    const why = "must be empty when `clusterIP` is not specified";
    errors.push(invalid(ipsPath, clusterIPs, why));
  }
  errors.push(...validateFamilies(service));
  let broken = false;
  for (const [i, ip] of clusterIPs.entries()) {
    if (i === 0 && ip === "None") {
      if (clusterIPs.length > 1) {
        broken = true;
        errors.push(invalid(ipsPath, clusterIPs, "'None' must be the first and only value"));
      }
      continue;
    }
    const problems = validateIP(ipsPath.index(i), ip, old?.spec?.clusterIPs ?? []);
    broken ||= problems.length > 0;
    errors.push(...problems);
  }
  if (clusterIPs.length > 2) {
    errors.push(invalid(ipsPath, clusterIPs, "may only hold up to 2 values"));
  }
  if (broken) return errors;
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(familyOf)).size < 2) {
    const why = "may specify no more than one IP for each IP family";
    errors.push(invalid(ipsPath, clusterIPs, why));
  }
  if (isHeadless(service)) return errors;
  for (const [i, family] of ipFamilies.entries()) {
    const ip = clusterIPs[i];
    if (ip === undefined || familyOf(ip) === family) continue;
    if (family !== "IPv4" && family !== "IPv6") continue;
    const why = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(invalid(ipsPath.index(i), ip, why));
  }
  return errors;
}

interface Sequence {
  name: "clusterIPs" | "ipFamilies";
  noun: string;
}

/** The primary stays; the secondary may come, and go when the policy says single. */
function validateSequence(service: Service, old: Service, { name, noun }: Sequence): FieldError[] {
  const now: readonly string[] = service.spec?.[name] ?? [];
  const before: readonly string[] = old.spec?.[name] ?? [];
  const at = path.child(name);
  const changed = (i: number) => invalid(at.index(i), now, "may not change once set");
  if (now.length === before.length) {
    return before.flatMap((value, i) => {
      if (value === now[i]) return [];
      return [changed(name === "clusterIPs" ? i : 0)];
    });
  }
  const errors: FieldError[] = [];
  if (now.length === 0) {
    errors.push(invalid(at.index(0), now, `primary ${noun} can not be unset`));
  } else if (before.length > 0 && now[0] !== before[0]) {
    errors.push(changed(0));
  }
  const policy = service.spec?.ipFamilyPolicy;
  if (before.length > now.length && now.length === 1 && policy !== "SingleStack") {
    const why = `must be set to 'SingleStack' when releasing the secondary ${noun}`;
    errors.push(invalid(path.child("ipFamilyPolicy"), policy ?? null, why));
  }
  return errors;
}

export function validateClusterIPUpdate(service: Service, old: Service): FieldError[] {
  const names = [service, old].some((one) => one.spec?.type === "ExternalName");
  if (names) return [];
  const [headless, wasHeadless] = [isHeadless(service), isHeadless(old)];
  const errors: FieldError[] = [];
  if (!(headless && wasHeadless)) {
    errors.push(...validateSequence(service, old, { name: "clusterIPs", noun: "clusterIP" }));
  }
  if (!headless && !wasHeadless) {
    errors.push(...validateSequence(service, old, { name: "ipFamilies", noun: "ipFamily" }));
  }
  return errors;
}
