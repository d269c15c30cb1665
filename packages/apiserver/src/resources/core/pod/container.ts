/**
 * Containers: plain, init and ephemeral.
 *
 * Source  pkg/apis/core/validation/validation.go validateContainerCommon, validateInitContainers
 */
import type { Container, ContainerPort, EphemeralContainer, PodSpec } from "@nanokube/api/core/v1";
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
  tooMany,
} from "../../field.ts";
import { dns1123Label, portName, portNumber } from "../../names.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { type Volumes, validateDevices, validateMounts } from "./mounts.ts";
import { type ProbeUse, validateLifecycle, validateProbe } from "./probe.ts";
import { validateRequirements } from "./requirements.ts";
import { validateSecurityContext } from "./security-context.ts";

/** What the checks of one container need to know of its pod. */
export interface ContainerContext {
  spec: PodSpec;
  volumes: Volumes;
  claimNames: ReadonlySet<string>;
}

function validatePorts(ports: readonly ContainerPort[] | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, port] of (ports ?? []).entries()) {
    const at = path.index(i);
    const { name, containerPort = 0, hostPort = 0, protocol = "" } = port;
    if (name) {
      const problems = check(at.child("name"), name, portName);
      errors.push(...problems);
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(at.child("name"), name));
      names.add(name);
    }
    const number = at.child("containerPort");
    if (containerPort === 0) errors.push(required(number));
    else
      errors.push(...portNumber(containerPort).map((why) => invalid(number, containerPort, why)));
    if (hostPort !== 0) {
      const host = at.child("hostPort");
      errors.push(...portNumber(hostPort).map((why) => invalid(host, hostPort, why)));
    }
    if (protocol === "") errors.push(required(at.child("protocol")));
    else errors.push(...oneOf(at.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]));
  }
  return errors;
}

export function validatePullPolicy(policy: string | undefined, path: FieldPath): FieldError[] {
  if (!policy) return [required(path)];
  return oneOf(path, policy, ["Always", "IfNotPresent", "Never"]);
}

function validateResizePolicy(container: Container, path: FieldPath, restart: string | undefined) {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, policy] of (container.resizePolicy ?? []).entries()) {
    const { resourceName = "", restartPolicy = "" } = policy;
    if (seen.has(resourceName)) errors.push(duplicate(path.index(i), resourceName));
    seen.add(resourceName);
    if (resourceName === "") errors.push(required(path));
    else errors.push(...oneOf(path, resourceName, ["cpu", "memory"]));
    if (restartPolicy === "") errors.push(required(path));
    else errors.push(...oneOf(path, restartPolicy, ["NotRequired", "RestartContainer"]));
    if (restart === "Never" && restartPolicy !== "NotRequired") {
      const why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(invalid(path, restartPolicy, why));
    }
  }
  return errors;
}

function validateShared(
  container: Container,
  context: ContainerContext,
  path: FieldPath,
): FieldError[] {
  const { name = "", terminationMessagePolicy = "" } = container;
  const errors =
    name === "" ? [required(path.child("name"))] : check(path.child("name"), name, dns1123Label);
  if (!container.image) errors.push(required(path.child("image")));
  const policy = path.child("terminationMessagePolicy");
  if (terminationMessagePolicy === "") errors.push(required(policy));
  else errors.push(...oneOf(policy, terminationMessagePolicy, ["File", "FallbackToLogsOnError"]));
  const restart = context.spec.restartPolicy;
  return [
    ...errors,
    ...validatePorts(container.ports, path.child("ports")),
    ...validateEnv(container.env, path.child("env")),
    ...validateEnvFrom(container.envFrom, path.child("envFrom")),
    ...validateMounts(container, context.volumes, path.child("volumeMounts")),
    ...validateDevices(container, context.volumes, path.child("volumeDevices")),
    ...validatePullPolicy(container.imagePullPolicy, path.child("imagePullPolicy")),
    ...validateRequirements(
      container.resources,
      path.child("resources"),
      "container",
      context.claimNames,
    ),
    ...validateResizePolicy(container, path.child("resizePolicy"), restart),
    ...validateSecurityContext(
      container.securityContext,
      path.child("securityContext"),
      context.spec.hostUsers ?? true,
    ),
  ];
}

const probes: readonly ProbeUse[] = ["livenessProbe", "readinessProbe", "startupProbe"];

function validateHooks(container: Container, spec: PodSpec, path: FieldPath): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds;
  const errors: FieldError[] = [];
  if (container.lifecycle !== undefined) {
    const at = path.child("lifecycle");
    errors.push(...validateLifecycle(container.lifecycle, grace, spec.os?.name, at));
  }
  for (const use of probes) {
    errors.push(...validateProbe(container[use], use, grace, path.child(use)));
  }
  return errors;
}

function validateRestartRules(container: Container, path: FieldPath, isInit = false): FieldError[] {
  const rules = container.restartPolicyRules ?? [];
  const policy = container.restartPolicy;
  const errors: FieldError[] = [];
  if (policy === undefined) {
    if (rules.length === 0) return [];
    const why = "must specify restartPolicy when restart rules are used";
    errors.push(required(path.child("restartPolicy"), why));
    // Without a policy nobody looks at the rules of an init container.
    if (isInit) return errors;
  } else {
    errors.push(...oneOf(path.child("restartPolicy"), policy, ["Always", "Never", "OnFailure"]));
  }
  const list = path.child("restartPolicyRules");
  if (rules.length > 20) errors.push(tooMany(list, rules.length, 20));
  for (const [i, rule] of rules.entries()) {
    const at = list.index(i);
    errors.push(...oneOf(at.child("action"), rule.action, ["Restart", "RestartAllContainers"]));
    if (rule.exitCodes === undefined) {
      errors.push(required(at.child("exitCodes"), "must be specified"));
      continue;
    }
    const { operator, values = [] } = rule.exitCodes;
    const codes = at.child("exitCodes");
    errors.push(...oneOf(codes.child("operator"), operator, ["In", "NotIn"]));
    if (values.length > 255) errors.push(tooMany(codes.child("values"), values.length, 255));
  }
  return errors;
}

function validateHostPorts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, container] of containers.entries()) {
    for (const [n, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const text = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (seen.has(text)) {
        errors.push(duplicate(path.index(i).child("ports").index(n).child("hostPort"), text));
      }
      seen.add(text);
    }
  }
  return errors;
}

export function validateContainers(context: ContainerContext, path: FieldPath): FieldError[] {
  const containers = context.spec.containers ?? [];
  if (containers.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const at = path.index(i);
    const { name = "" } = container;
    errors.push(...validateShared(container, context, at));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
    errors.push(...validateHooks(container, context.spec, at));
    errors.push(...validateRestartRules(container, at));
  }
  return [...errors, ...validateHostPorts(containers, path)];
}

export function validateInitContainers(context: ContainerContext, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set((context.spec.containers ?? []).map((container) => container.name ?? ""));
  for (const [i, container] of (context.spec.initContainers ?? []).entries()) {
    const at = path.index(i);
    const { name = "" } = container;
    const sidecar = container.restartPolicy === "Always";
    errors.push(...validateShared(container, context, at));
    errors.push(...validateRestartRules(container, at, true));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    if (name !== "") names.add(name);
    errors.push(...validateHostPorts([container], path));
    if (sidecar) {
      errors.push(...validateHooks(container, context.spec, at));
      continue;
    }
    for (const key of ["lifecycle", ...probes] as const) {
      if (container[key] === undefined) continue;
      const why = "may not be set for init containers without restartPolicy=Always";
      errors.push(forbidden(at.child(key), why));
    }
    for (const [n, policy] of (container.resizePolicy ?? []).entries()) {
      if (policy.restartPolicy !== "RestartContainer") continue;
      const why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
      const where = at.child("resizePolicy").index(n).child("restartPolicy");
      errors.push(invalid(where, policy.restartPolicy, why));
    }
  }
  return errors;
}

const ephemeralFields = new Set([
  "name",
  "image",
  "command",
  "args",
  "workingDir",
  "envFrom",
  "env",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "imagePullPolicy",
  "securityContext",
  "stdin",
  "stdinOnce",
  "tty",
  "targetContainerName",
]);

function isZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return !value;
  return Object.keys(value).length === 0;
}

export function validateEphemeral(context: ContainerContext, path: FieldPath): FieldError[] {
  const { containers, initContainers = [], ephemeralContainers = [] } = context.spec;
  // Go writes a list without members as null.
  const targets = new Set([...(containers ?? []), ...initContainers].map((one) => one.name ?? ""));
  const names = new Set(targets);
  const why = "cannot be set for an Ephemeral Container";
  return ephemeralContainers.flatMap((container: EphemeralContainer, i) => {
    const at = path.index(i);
    const { name = "", targetContainerName } = container;
    const errors = [
      ...validateShared(container, context, at),
      ...validateImageSpaces(container, at),
    ];
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
    if (targetContainerName && !targets.has(targetContainerName)) {
      errors.push(valueNotFound(at.child("targetContainerName"), targetContainerName));
    }
    for (const [key, value] of Object.entries(container)) {
      if (!ephemeralFields.has(key) && !isZero(value)) errors.push(forbidden(at.child(key), why));
    }
    for (const [n, mount] of (container.volumeMounts ?? []).entries()) {
      for (const key of ["subPath", "subPathExpr"] as const) {
        if (mount[key]) errors.push(forbidden(at.child("volumeMounts").index(n).child(key), why));
      }
    }
    return errors;
  });
}

export function validateImageSpaces(container: Container, path: FieldPath): FieldError[] {
  const { image = "" } = container;
  if (image === image.trim()) return [];
  return [invalid(path.child("image"), image, "must not have leading or trailing whitespace")];
}

/** With the host's network a container's ports are the host's. */
export function validateHostNetworkPorts(spec: PodSpec, isPod: boolean, path: FieldPath) {
  if (!spec.hostNetwork) return [];
  return (spec.containers ?? []).flatMap((container, i) =>
    (container.ports ?? []).flatMap((port, n) => {
      const host = port.hostPort ?? 0;
      if ((!isPod && host === 0) || host === port.containerPort) return [];
      const why = "must match `containerPort` when `hostNetwork` is true";
      return [invalid(path.index(i).child("ports").index(n).child("hostPort"), host, why)];
    }),
  );
}
