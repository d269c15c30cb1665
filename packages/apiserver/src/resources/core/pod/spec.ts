/**
 * A pod's spec as a whole, in upstream's order of checks.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodSpec
 */
import type { PodSpec } from "@nanokube/api/core/v1";
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import { valueNotFound } from "@nanokube/machinery";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  oneOf,
  required,
  tooLong,
} from "../../field.ts";
import { validateIP } from "../../ip.ts";
import { validateLabels } from "../../labels.ts";
import { dns1123Label, dns1123Subdomain, qualifiedName, rangeError } from "../../names.ts";
import { validateAffinity, validateTolerations, validateTopologySpread } from "./affinity.ts";
import {
  validateContainers,
  validateEphemeral,
  validateHostNetworkPorts,
  validateInitContainers,
} from "./container.ts";
import { validatePodLevelResources, validateRequirements } from "./requirements.ts";
import { validateHostUsers, validatePodSecurityContext } from "./security-context.ts";
import { validateVolumes } from "./volume.ts";
import { validateWindows } from "./windows.ts";

function validateResourceClaims(spec: PodSpec, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return (spec.resourceClaims ?? []).flatMap((claim, i) => {
    const at = path.index(i);
    const { name = "", resourceClaimName, resourceClaimTemplateName } = claim;
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(at.child("name")));
    else if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    else errors.push(...check(at.child("name"), name, dns1123Label));
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const why =
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalid(at, claim, why));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.push(invalid(at, claim, why));
    }
    for (const [key, reference] of Object.entries({
      resourceClaimName,
      resourceClaimTemplateName,
    })) {
      if (reference === undefined) continue;
      errors.push(...check(at.child(key), reference, dns1123Subdomain));
    }
    return errors;
  });
}

const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

function validateDNSConfig(spec: PodSpec, path: FieldPath): FieldError[] {
  const config = spec.dnsConfig;
  const nameservers = config?.nameservers ?? [];
  const searches = config?.searches ?? [];
  if (spec.dnsPolicy === "None") {
    if (config === undefined) {
      return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    }
    if (nameservers.length === 0) {
      const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      return [required(path.child("nameservers"), why)];
    }
  }
  const errors: FieldError[] = [];
  if (nameservers.length > 3) {
    const why = "must not have more than 3 nameservers";
    errors.push(invalid(path.child("nameservers"), nameservers, why));
  }
  for (const [i, server] of nameservers.entries()) {
    errors.push(...validateIP(path.child("nameservers").index(i), server));
  }
  const list = path.child("searches");
  if (searches.length > 32) {
    errors.push(invalid(list, searches, "must not have more than 32 search paths"));
  }
  if (searches.join(" ").length > 2048) {
    const why = "must not have more than 2048 characters (including spaces) in the search list";
    errors.push(invalid(list, searches, why));
  }
  for (const [i, search] of searches.entries()) {
    if (search === ".") continue;
    // A search path may have underscores; nothing else differs from a subdomain.
    const plain = search.replace(/\.$/, "").replaceAll("_", "x");
    errors.push(...dns1123Subdomain(plain).map((why) => invalid(list.index(i), search, why)));
  }
  for (const [i, option] of (config?.options ?? []).entries()) {
    if (!option.name) errors.push(required(path.child("options").index(i), "must not be empty"));
  }
  return errors;
}

function validateSchedulingGates(spec: PodSpec, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return (spec.schedulingGates ?? []).flatMap(({ name = "" }, i) => {
    const errors = check(path.index(i), name, qualifiedName);
    if (seen.has(name)) errors.push(duplicate(path.index(i), name));
    seen.add(name);
    return errors;
  });
}

function validateHostname(spec: PodSpec, path: FieldPath): FieldError[] {
  const override = spec.hostnameOverride;
  if (override === undefined) return [];
  const at = path.child("hostnameOverride");
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN) {
    errors.push(forbidden(at, "may not be specified when setHostnameAsFQDN is true"));
  }
  if (spec.hostNetwork) errors.push(forbidden(at, "may not be specified when hostNetwork is true"));
  if (override.length > 64) errors.push(tooLong(at, "", 64));
  return [...errors, ...check(at, override, dns1123Subdomain)];
}

function validateNames(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = (key: "serviceAccountName" | "nodeName") => {
    const value = spec[key];
    if (value) errors.push(...check(path.child(key), value, dns1123Subdomain));
  };
  name("serviceAccountName");
  name("nodeName");
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647)) {
    const why = rangeError(1, 2147483647);
    errors.push(invalid(path.child("activeDeadlineSeconds"), deadline, why));
  }
  for (const key of ["hostname", "subdomain"] as const) {
    const value = spec[key];
    if (value) errors.push(...check(path.child(key), value, dns1123Label));
  }
  return errors;
}

function validateRest(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors = validateTolerations(spec.tolerations, path.child("tolerations"));
  for (const [i, alias] of (spec.hostAliases ?? []).entries()) {
    const at = path.child("hostAliases").index(i);
    errors.push(...validateIP(at.child("ip"), alias.ip ?? ""));
    for (const [n, host] of (alias.hostnames ?? []).entries()) {
      errors.push(...check(at.child("hostnames").index(n), host, dns1123Subdomain));
    }
  }
  for (const key of ["priorityClassName", "runtimeClassName"] as const) {
    const value = spec[key];
    if (value) errors.push(...check(path.child(key), value, dns1123Subdomain));
  }
  if (spec.preemptionPolicy !== undefined) {
    const policies = ["PreemptLowerPriority", "Never"];
    errors.push(...oneOf(path.child("preemptionPolicy"), spec.preemptionPolicy, policies));
  }
  if (spec.overhead !== undefined) {
    const limits = { limits: spec.overhead };
    errors.push(...validateRequirements(limits, path.child("overhead"), "container"));
  }
  if (spec.os !== undefined) {
    const at = path.child("os");
    if (!spec.os.name) errors.push(required(at.child("name")));
    else errors.push(...oneOf(at, spec.os.name, ["linux", "windows"]));
    errors.push(...validateWindows(spec, path));
  }
  return errors;
}

/** Variables from a file name an emptyDir that some container fills. */
function validateFileVolumes(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      for (const [n, variable] of (container.env ?? []).entries()) {
        const ref = variable.valueFrom?.fileKeyRef;
        if (ref === undefined) continue;
        const env = path.child(list).index(i).child("env").index(n);
        const at = env.child("valueFrom", "fileKeyRef", "volumeName");
        const volume = spec.volumes?.find((one) => one.name === ref.volumeName);
        if (volume === undefined) errors.push(valueNotFound(at, ref.volumeName));
        else if (volume.emptyDir === undefined) {
          errors.push(invalid(at, ref.volumeName, "referenced volume must be of type emptyDir"));
        }
      }
    }
  }
  return errors;
}

/** `meta` is the Pod's; absent for a template. */
export function validatePodSpec(
  spec: PodSpec,
  meta: ObjectMeta | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(path.child("terminationGracePeriodSeconds")));
  }
  const { errors: volumeErrors, volumes } = validateVolumes(spec, meta, path.child("volumes"));
  const claimNames = new Set((spec.resourceClaims ?? []).map((claim) => claim.name ?? ""));
  const context = { spec, volumes, claimNames };
  errors.push(
    ...volumeErrors,
    ...validateResourceClaims(spec, path.child("resourceClaims")),
    ...validateContainers(context, path.child("containers")),
    ...validateInitContainers(context, path.child("initContainers")),
    ...validateEphemeral(context, path.child("ephemeralContainers")),
    ...validatePodLevelResources(spec, path.child("resources")),
    ...validateHostNetworkPorts(spec, meta !== undefined, path.child("containers")),
  );
  const restarts = path.child("restartPolicy");
  if (!spec.restartPolicy) errors.push(required(restarts));
  else errors.push(...oneOf(restarts, spec.restartPolicy, ["Always", "OnFailure", "Never"]));
  if (!spec.dnsPolicy) errors.push(required(path.child("dnsPolicy")));
  else errors.push(...oneOf(path.child("dnsPolicy"), spec.dnsPolicy, dnsPolicies));
  const gates = path.child("readinessGates");
  return [
    ...errors,
    ...validateLabels(spec.nodeSelector, path.child("nodeSelector")),
    ...validatePodSecurityContext(spec, path.child("securityContext")),
    ...validateAffinity(spec.affinity, path.child("affinity")),
    ...validateDNSConfig(spec, path.child("dnsConfig")),
    ...(spec.readinessGates ?? []).flatMap((gate, i) =>
      check(gates.index(i).child("conditionType"), gate.conditionType ?? "", qualifiedName),
    ),
    ...validateSchedulingGates(spec, path.child("schedulingGates")),
    ...validateTopologySpread(
      spec.topologySpreadConstraints,
      path.child("topologySpreadConstraints"),
    ),
    ...validateHostUsers(spec, path),
    ...validateHostname(spec, path),
    ...validateNames(spec, path),
    ...validateRest(spec, path),
    ...validateFileVolumes(spec, path),
  ];
}
