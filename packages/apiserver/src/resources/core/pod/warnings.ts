/**
 * What a pod's author should hear although it is accepted.
 *
 * Source  pkg/api/pod/warnings.go
 */
import type { Container, Pod, PodSpec, PodTemplateSpec, Volume } from "@nanokube/api/core/v1";
import { FieldPath, type KubeObject, quoteGo } from "@nanokube/machinery";
import { dns1123Label } from "../../names.ts";

const oldLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

type Old<Name extends string> = readonly (readonly [name: Name, what: string])[];

const oldAnnotations: Old<string> = [
  [
    "scheduler.alpha.kubernetes.io/critical-pod",
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  [
    "security.alpha.kubernetes.io/sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
  [
    "security.alpha.kubernetes.io/unsafe-sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];

const oldVolumes: Old<keyof Volume> = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/** The path of a field below a pod (no prefix) or a template (its path). */
function at(prefix: FieldPath | undefined, first: string, ...more: string[]): FieldPath {
  const start = prefix === undefined ? FieldPath.root(first) : prefix.child(first);
  return more.reduce((path, name) => path.child(name), start);
}

function containersOf(spec: PodSpec, prefix: FieldPath | undefined): [Container, FieldPath][] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, i): [Container, FieldPath] => [
      container,
      at(prefix, "spec", list).index(i),
    ]),
  );
}

function envWarnings(container: Container, path: FieldPath): string[] {
  const seen = new Set<string>();
  return (container.env ?? []).flatMap((variable, i) => {
    const { name = "", value = "" } = variable;
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    // Extending the earlier value by a reference to it is deliberate.
    const reference = `$(${name})`;
    const extends_ =
      variable.valueFrom === undefined && value !== reference && value.includes(reference);
    if (extends_) return [];
    const where = path.child("env").index(i);
    const what = `hides previous definition of ${quoteGo(name)}`;
    return [`${where}: ${what}, which may be dropped when using apply`];
  });
}

function fractionWarnings(container: Container, path: FieldPath): string[] {
  return (["limits", "requests"] as const).flatMap((side) =>
    ["memory", "ephemeral-storage"].flatMap((name) => {
      const value = String(container.resources?.[side]?.[name] ?? "");
      if (!value.endsWith("m")) return [];
      if (Number(value.slice(0, -1)) % 1000 === 0) return [];
      const where = path.child("resources", side).key(name);
      return [`${where}: fractional byte value ${quoteGo(value)} is invalid, must be an integer`];
    }),
  );
}

interface PortAt {
  path: FieldPath;
  hostIP: string;
  hostPort: number;
}

function overlap(one: PortAt, other: PortAt): string | undefined {
  if (one.hostIP === other.hostIP && one.hostPort === other.hostPort) return "duplicate";
  if (one.hostPort === 0 || other.hostPort === 0) return "overlapping";
  const ambiguous = (one.hostIP === "") !== (other.hostIP === "");
  return one.hostPort === other.hostPort && ambiguous ? "dangerously ambiguous" : undefined;
}

function portWarnings(spec: PodSpec, prefix: FieldPath | undefined): string[] {
  const warnings: string[] = [];
  const names = new Map<string, FieldPath>();
  const nameWarnings: string[] = [];
  const known = new Map<string, PortAt[]>();
  for (const [container, containerPath] of containersOf(spec, prefix)) {
    for (const [i, port] of (container.ports ?? []).entries()) {
      const path = containerPath.child("ports").index(i);
      const one = { path, hostIP: port.hostIP ?? "", hostPort: port.hostPort ?? 0 };
      const key = `${port.containerPort}/${port.protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const word = overlap(one, other);
        if (word !== undefined) {
          warnings.push(`${path}: ${word} port definition with ${other.path}`);
        }
      }
      known.set(key, [...others, one]);
      if (!port.name) continue;
      const first = names.get(port.name);
      if (first === undefined) names.set(port.name, path);
      else {
        const what = `duplicate port name ${quoteGo(port.name)} with ${first}`;
        const so = `services and probes that select ports by name will use ${first}`;
        nameWarnings.push(`${path}: ${what}, ${so}`);
      }
    }
  }
  return [...warnings, ...nameWarnings];
}

function affinityWarnings(spec: PodSpec, prefix: FieldPath | undefined): string[] {
  if (spec.affinity === undefined) return [];
  const text = "a null labelSelector results in matching no pod";
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((side) => {
    const affinity = spec.affinity?.[side];
    const path = at(prefix, "spec", "affinity", side);
    const required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    const preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    return [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) =>
        term.labelSelector === undefined
          ? [`${required.index(i).child("labelSelector")}: ${text}`]
          : [],
      ),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((one, i) =>
        one.podAffinityTerm?.labelSelector === undefined
          ? [`${preferred.index(i).child("podAffinityTerm", "labelSelector")}: ${text}`]
          : [],
      ),
    ];
  });
}

function warn(template: PodTemplateSpec, prefix: FieldPath | undefined): string[] {
  const { metadata, spec = {} } = template;
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const text = oldLabels[key];
    if (text) warnings.push(`${at(prefix, "spec", "nodeSelector").key(key)}: ${text}`);
  }
  for (const [i, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const path = at(prefix, "spec", "topologySpreadConstraints").index(i);
    const { topologyKey = "" } = constraint;
    const text = oldLabels[topologyKey];
    if (text) warnings.push(`${path.child("topologyKey")}: ${topologyKey} is ${text}`);
    if (constraint.labelSelector === undefined) {
      const null_ = "a null labelSelector results in matching no pod";
      warnings.push(`${path.child("labelSelector")}: ${null_}`);
    }
  }
  for (const [key, text] of oldAnnotations) {
    if (metadata?.annotations?.[key] === undefined) continue;
    warnings.push(`${at(prefix, "metadata", "annotations").key(key)}: ${text}`);
  }
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [type, text] of oldVolumes) {
      if (volume[type] === undefined) continue;
      const name = type === "storageos" ? "storageOS" : type;
      warnings.push(`${at(prefix, "spec", "volumes").index(i).child(name)}: ${text}`);
    }
  }
  const secrets = new Set<string>();
  for (const [i, { name = "" }] of (spec.imagePullSecrets ?? []).entries()) {
    const path = at(prefix, "spec", "imagePullSecrets").index(i).child("name");
    if (secrets.has(name)) warnings.push(`${path}: duplicate name ${quoteGo(name)}`);
    if (name === "") warnings.push(`${path}: invalid empty name ""`);
    secrets.add(name);
  }
  for (const [container, path] of containersOf(spec, prefix)) {
    warnings.push(...fractionWarnings(container, path), ...envWarnings(container, path));
  }
  warnings.push(...portWarnings(spec, prefix));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const path = at(prefix, "spec", "terminationGracePeriodSeconds");
    warnings.push(`${path}: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  return [...warnings, ...affinityWarnings(spec, prefix)];
}

function nameWarning(object: KubeObject, use: string): string[] {
  const problems = dns1123Label(object.metadata?.name ?? "");
  if (problems.length === 0) return [];
  const what = `this is used in ${use}, which can result in surprising behavior`;
  return [`metadata.name: ${what}; a DNS label is recommended: [${problems.join(" ")}]`];
}

export function podWarnings(pod: Pod): string[] {
  return [...nameWarning(pod as KubeObject, "the Pod's hostname"), ...warn(pod, undefined)];
}

/** For a workload whose template is spec.template. */
export function templateWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  if (old !== undefined && old.metadata?.generation === object.metadata?.generation) return [];
  const template = (object.spec as { template?: PodTemplateSpec } | undefined)?.template ?? {};
  const own = warn(template, FieldPath.root("spec").child("template"));
  if (old !== undefined || object.kind === "DaemonSet") return own;
  return [...nameWarning(object, "Pod names and hostnames"), ...own];
}

export function jobTemplateWarnings(template: PodTemplateSpec | undefined, path: FieldPath) {
  return warn(template ?? {}, path);
}
