/**
 * What may change in a pod once it is there: nearly nothing.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodUpdate, ValidatePodStatusUpdate,
 *         ValidatePodEphemeralContainersUpdate, ValidatePodResize
 */
import type { Container, ContainerStatus, Pod, PodSpec, Toleration } from "@nanokube/api/core/v1";
import { deepClone, quoteGo } from "@nanokube/machinery";
import type { StrategyContext } from "../../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  required,
} from "../../field.ts";
import { validateIP } from "../../ip.ts";
import { dns1123Subdomain, qualifiedName, rangeError } from "../../names.ts";
import { validateImmutable } from "../../object-meta.ts";
import { semanticEqual } from "../../semantic-equal.ts";
import { validateTolerations } from "./affinity.ts";
import { appArmorPrefix, mirrorPod } from "./annotations.ts";
import { validatePodResize } from "./resize.ts";
import { typedDiff } from "./unified-diff.ts";
import { validatePodAtRest } from "./validation.ts";

function validateAnnotationChanges(pod: Pod, old: Pod): FieldError[] {
  const path = field("metadata", "annotations");
  const [now, before] = [pod.metadata?.annotations ?? {}, old.metadata?.annotations ?? {}];
  const errors: FieldError[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (now[key] === before[key]) continue;
    const verb = before[key] === undefined ? "add" : "remove or update";
    if (key.startsWith(appArmorPrefix)) {
      errors.push(forbidden(path.key(key), `may not ${verb} AppArmor annotations`));
    } else if (key === mirrorPod) {
      errors.push(forbidden(path.key(key), `may not ${verb} mirror pod annotation`));
    }
  }
  return errors;
}

function validateImages(
  containers: readonly Container[] | undefined,
  old: readonly Container[] | undefined,
  path: FieldPath,
): { errors: FieldError[]; stop: boolean } {
  if ((containers ?? []).length !== (old ?? []).length) {
    const errors = [forbidden(path, "pod updates may not add or remove containers")];
    return { errors, stop: true };
  }
  const errors = (containers ?? []).flatMap(({ image = "" }, i) => {
    const at = path.index(i).child("image");
    if (image === "") return [required(at)];
    if (image === image.trim()) return [];
    return [invalid(at, image, "must not have leading or trailing whitespace")];
  });
  return { errors, stop: false };
}

function validateDeadline(spec: PodSpec, old: PodSpec): { errors: FieldError[]; stop: boolean } {
  const at = field("spec", "activeDeadlineSeconds");
  const [now, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds];
  if (now === undefined) {
    if (before === undefined) return { errors: [], stop: false };
    const why = "must not update from a positive integer to nil value";
    return { errors: [invalid(at, null, why)], stop: false };
  }
  if (now < 0 || now > 2147483647) {
    return { errors: [invalid(at, now, rangeError(0, 2147483647))], stop: true };
  }
  if (before !== undefined && before < now) {
    const why = "must be less than or equal to previous value";
    return { errors: [invalid(at, now, why)], stop: true };
  }
  return { errors: [], stop: false };
}

function validateAddedTolerations(spec: PodSpec, old: PodSpec): FieldError[] {
  const path = field("spec", "tolerations");
  const plain = ({ tolerationSeconds: _seconds, ...rest }: Toleration) => rest;
  const kept = (old.tolerations ?? []).every((before) =>
    (spec.tolerations ?? []).some((now) => semanticEqual(plain(before), plain(now))),
  );
  if (!kept) {
    return [
      forbidden(path, "existing toleration can not be modified except its tolerationSeconds"),
    ];
  }
  return validateTolerations(spec.tolerations, path);
}

function validateDeletedGates(spec: PodSpec, old: PodSpec): FieldError[] {
  const known = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  return (spec.schedulingGates ?? []).flatMap((gate, i) => {
    if (known.has(gate.name)) return [];
    const at = field("spec", "schedulingGates").index(i).child("name");
    const why = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    return [forbidden(at, why)];
  });
}

const updatable =
  "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
  "`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** The new spec with everything that may change put back to what it was. */
function munge(spec: PodSpec, old: PodSpec): PodSpec {
  const munged: PodSpec = deepClone(spec);
  for (const list of ["containers", "initContainers"] as const) {
    for (const [i, container] of (munged[list] ?? []).entries()) {
      container.image = old[list]?.[i]?.image;
    }
  }
  for (const key of ["activeDeadlineSeconds", "schedulingGates", "tolerations"] as const) {
    if (old[key] === undefined) delete munged[key];
    else Object.assign(munged, { [key]: old[key] });
  }
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && munged.terminationGracePeriodSeconds === 1) {
    munged.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  }
  // A gated pod's node constraints may become narrower.
  if ((old.schedulingGates ?? []).length > 0) {
    const labels = munged.nodeSelector ?? {};
    const kept = Object.entries(old.nodeSelector ?? {}).every(([k, v]) => labels[k] === v);
    if (kept) munged.nodeSelector = old.nodeSelector;
  }
  return munged;
}

function validateSpecUpdate(pod: Pod, old: Pod): FieldError[] {
  const [spec, before] = [pod.spec ?? {}, old.spec ?? {}];
  const path = field("spec");
  const errors = [...validatePodAtRest(pod), ...validateAnnotationChanges(pod, old)];
  for (const list of ["containers", "initContainers"] as const) {
    const images = validateImages(spec[list], before[list], path.child(list));
    errors.push(...images.errors);
    if (images.stop) return errors;
  }
  const deadline = validateDeadline(spec, before);
  errors.push(...deadline.errors);
  if (deadline.stop) return errors;
  errors.push(...validateAddedTolerations(spec, before), ...validateDeletedGates(spec, before));
  const munged = munge(spec, before);
  if (!semanticEqual(munged, before)) {
    const diff = typedDiff("io.k8s.api.core.v1.PodSpec", before, munged);
    const why = `pod updates may not change fields other than ${updatable}\n${diff}`;
    errors.push(forbidden(path, why));
  }
  return errors;
}

const systemConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

/** May a container that ended with this code start again? */
function mayRestart(container: Container | undefined, spec: PodSpec, code: number): boolean {
  const policy = container?.restartPolicy ?? spec.restartPolicy;
  for (const rule of container?.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(code) ?? false;
    if (rule.exitCodes?.operator === "In" ? listed : !listed) return true;
  }
  return policy === "Always" || (policy === "OnFailure" && code !== 0);
}

function validateTransitions(
  now: readonly ContainerStatus[] | undefined,
  before: readonly ContainerStatus[] | undefined,
  path: FieldPath,
  restarts: (name: string, code: number) => boolean,
): FieldError[] {
  return (before ?? []).flatMap((old, i) => {
    const ended = old.state?.terminated;
    const status = (now ?? []).find((one) => one.name === old.name);
    if (ended === undefined || status === undefined) return [];
    if (status.state?.terminated !== undefined) return [];
    if (restarts(old.name ?? "", ended.exitCode ?? 0)) return [];
    const why = "may not be transitioned to non-terminated state";
    return [forbidden(path.index(i).child("state"), why)];
  });
}

function validateStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const path = field("status");
  const [status, before, spec] = [pod.status ?? {}, old.status ?? {}, old.spec ?? {}];
  const errors = validateAnnotationChanges(pod, old);
  for (const [i, condition] of (status.conditions ?? []).entries()) {
    const { type = "" } = condition;
    if (systemConditions.has(type)) continue;
    errors.push(...check(path.child("conditions").index(i).child("Type"), type, qualifiedName));
  }
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== before.nominatedNodeName) {
    const at = path.child("nominatedNodeName");
    errors.push(...check(at, nominated, dns1123Subdomain));
    if (spec.nodeName) {
      errors.push(forbidden(at, "may not be set on pods that are already bound to a node"));
    }
  }
  errors.push(...validateImmutable(status.qosClass, before.qosClass, path.child("qosClass")));
  const lists = [
    ["containerStatuses", spec.containers],
    ["initContainerStatuses", spec.initContainers],
    ["ephemeralContainerStatuses", []],
  ] as const;
  for (const [list, containers] of lists) {
    const find = (name: string) => containers?.find((container) => container.name === name);
    errors.push(
      ...validateTransitions(status[list], before[list], path.child(list), (name, code) =>
        list === "ephemeralContainerStatuses" ? false : mayRestart(find(name), spec, code),
      ),
    );
  }
  for (const list of ["podIPs", "hostIPs"] as const) {
    const known = (before[list] ?? []).map((one) => one.ip ?? "");
    for (const [i, one] of (status[list] ?? []).entries()) {
      errors.push(...validateIP(path.child(list).index(i), one.ip ?? "", known));
    }
  }
  return errors;
}

function validateEphemeralUpdate(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorPod] !== undefined) {
    return [forbidden(field(""), "static pods do not support ephemeral containers")];
  }
  const path = field("spec", "ephemeralContainers");
  const errors = [...validatePodAtRest(pod), ...validateAnnotationChanges(pod, old)];
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const name = quoteGo(before.name ?? "");
    const now = pod.spec?.ephemeralContainers?.find((one) => one.name === before.name);
    if (now === undefined) {
      errors.push(forbidden(path, `existing ephemeral containers ${name} may not be removed\n`));
    } else if (!semanticEqual(now, before)) {
      const why = `existing ephemeral containers ${name} may not be changed\n`;
      errors.push(
        forbidden(path, why + typedDiff("io.k8s.api.core.v1.EphemeralContainer", before, now)),
      );
    }
  }
  return errors;
}

export function validatePodUpdate(pod: Pod, old: Pod, context: StrategyContext): FieldError[] {
  if (context.subresource === "status") return validateStatusUpdate(pod, old);
  if (context.subresource === "ephemeralcontainers") return validateEphemeralUpdate(pod, old);
  if (context.subresource === "resize") return validatePodResize(pod, old);
  return validateSpecUpdate(pod, old);
}
