/**
 * The metrics of an autoscaler: one source each, with what it should come to.
 *
 * Source  pkg/apis/autoscaling/validation/validation.go validateMetricSpec,
 *         pkg/printers/internalversion/printers.go formatHPAMetrics
 */
import type {
  ContainerResourceMetricSource,
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  ResourceMetricSource,
} from "@nanokube/api/autoscaling/v2";
import {
  check,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../field.ts";
import { dns1123Label, pathSegment } from "../names.ts";
import { compareQuantities } from "../resource-list.ts";
import { validateContainerResourceName } from "../resource-names.ts";

export function validateReference(
  { kind = "", name = "", apiVersion = "" }: CrossVersionObjectReference,
  path: FieldPath,
  allowsCore: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of [
    ["kind", kind],
    ["name", name],
  ] as const) {
    const at = path.child(key);
    errors.push(...(value === "" ? [required(at)] : check(at, value, pathSegment)));
  }
  const at = path.child("apiVersion");
  const parts = apiVersion.split("/");
  if (parts.length > 2) {
    errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else if (!allowsCore && (parts.length < 2 || parts[0] === "")) {
    errors.push(invalid(at, apiVersion, "apiVersion must specify API group"));
  }
  return errors;
}

/** In the order in which upstream looks for them. */
const sources = {
  Object: "object",
  External: "external",
  Pods: "pods",
  Resource: "resource",
  ContainerResource: "containerResource",
} as const;

const types = Object.keys(sources).sort();

function validateTarget(target: MetricTarget, path: FieldPath): FieldError[] {
  const { type = "", value, averageValue, averageUtilization } = target;
  const at = path.child("type");
  const errors = type === "" ? [required(at, "must specify a metric target type")] : [];
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    errors.push(invalid(at, type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const [name, quantity] of [
    ["value", value],
    ["averageValue", averageValue],
  ] as const) {
    if (quantity === undefined || compareQuantities(String(quantity), "0") > 0) continue;
    errors.push(invalid(path.child(name), quantity, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const place = path.child("averageUtilization");
    errors.push(invalid(place, averageUtilization, "must be greater than 0"));
  }
  return errors;
}

function validateIdentifier({ name = "" }: MetricIdentifier, path: FieldPath): FieldError[] {
  const at = path.child("name");
  return name === "" ? [required(at, "must specify a metric name")] : check(at, name, pathSegment);
}

/** One of two ways to say how much; `both` when only one may be used. */
function validateAmount(
  target: MetricTarget,
  path: FieldPath,
  ways: readonly (keyof MetricTarget)[],
  none: string,
  both?: [at: keyof MetricTarget, why: string],
): FieldError[] {
  const given = ways.filter((way) => target[way] !== undefined);
  if (given.length === 0) return [required(path.child(ways[0]!), none)];
  return both !== undefined && given.length > 1 ? [forbidden(path.child(both[0]), both[1])] : [];
}

function validateResource(source: ResourceMetricSource, path: FieldPath): FieldError[] {
  const target = source.target ?? {};
  const at = path.child("target");
  const ways = ["averageUtilization", "averageValue"] as const;
  const either = "must set either a target raw value or a target utilization";
  const both = "may not set both a target raw value and a target utilization";
  return [
    ...validateTarget(target, at),
    ...validateAmount(target, at, ways, either, ["averageValue", both]),
  ];
}

function validateContainer(source: ContainerResourceMetricSource, path: FieldPath): FieldError[] {
  const { name = "", container = "" } = source;
  const [nameAt, containerAt] = [path.child("name"), path.child("container")];
  return [
    ...(name === ""
      ? [required(nameAt, "must specify a resource name")]
      : validateContainerResourceName(name, nameAt)),
    ...(container === ""
      ? [required(containerAt, "must specify a container")]
      : check(containerAt, container, dns1123Label)),
    ...validateResource(source, path),
  ];
}

type SourceName = (typeof sources)[keyof typeof sources];

function validateSource(metric: MetricSpec, name: SourceName, path: FieldPath): FieldError[] {
  if (name === "containerResource") return validateContainer(metric[name] ?? {}, path);
  if (name === "resource") {
    const own = metric.resource ?? {};
    const why = "must specify a resource name";
    return [
      ...(own.name ? [] : [required(path.child("name"), why)]),
      ...validateResource(own, path),
    ];
  }
  const { metric: identifier = {}, target = {} } = metric[name] ?? {};
  const at = path.child("target");
  const errors = [
    ...validateIdentifier(identifier, path.child("metric")),
    ...validateTarget(target, at),
  ];
  if (name === "pods") {
    const why = "must specify a positive target averageValue";
    return [...errors, ...validateAmount(target, at, ["averageValue"], why)];
  }
  const ways = ["averageValue", "value"] as const;
  if (name === "object") {
    const described = metric.object?.describedObject ?? {};
    return [
      ...validateReference(described, path.child("describedObject"), true),
      ...errors,
      ...validateAmount(target, at, ways, "must set either a target value or averageValue"),
    ];
  }
  const either = "must set either a target value for metric or a per-pod target";
  const both = "may not set both a target value for metric and a per-pod target";
  return [...errors, ...validateAmount(target, at, ways, either, ["value", both])];
}

export function validateMetric(metric: MetricSpec, path: FieldPath): FieldError[] {
  const { type = "" } = metric;
  const at = path.child("type");
  const wanted = sources[type as keyof typeof sources] as SourceName | undefined;
  const errors = type === "" ? [required(at, "must specify a metric source type")] : [];
  if (wanted === undefined) errors.push(notSupported(at, type, types));
  const given = Object.values(sources).filter((name) => metric[name] !== undefined);
  const first = given[0];
  if (first !== undefined) errors.push(...validateSource(metric, first, path.child(first)));
  if (wanted === undefined) errors.push(notSupported(at, type, types));
  else if (metric[wanted] === undefined) {
    const why = "must populate information for the given metric source";
    errors.push(required(path.child(wanted), why));
  }
  if (given.length === 1) return errors;
  const only = "must populate the given metric source only";
  const others = given.filter((name) => name !== wanted);
  return [...errors, ...others.map((name) => forbidden(path.child(name), only))];
}

/** As a table shows it: "cpu: 40%/80%". */
export function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const source = sources[metric.type as keyof typeof sources];
  if (source === undefined) return "<unknown type>";
  const target: MetricTarget = metric[source]?.target ?? {};
  const current: MetricValueStatus | undefined = status?.[source]?.current;
  const unknown = "<unknown>";
  if (source === "resource" || source === "containerResource") {
    const { name } = metric[source] ?? {};
    if (target.averageValue !== undefined) {
      return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
    }
    const percent = (value: number | undefined, none: string) =>
      value === undefined ? none : `${value}%`;
    const now = percent(current?.averageUtilization, unknown);
    return `${name}: ${now}/${percent(target.averageUtilization, "<auto>")}`;
  }
  if (source === "pods") return `${current?.averageValue ?? unknown}/${target.averageValue ?? "0"}`;
  if (target.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknown}/${target.value ?? "0"}`;
}
