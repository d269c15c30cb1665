/**
 * What a pod may learn about itself: fields and resources, for environment variables and files.
 *
 * Source  pkg/fieldpath/fieldpath.go, pkg/api/v1/resource/helpers.go
 */
import type {
  Container,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
} from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { findContainer, podName, podNamespace, podUID } from "./pod.ts";

export interface DownwardContext {
  podIPs: readonly string[];
  hostIPs: readonly string[];
  nodeName: string;
  /** What a container without a limit may use at most. Units: milli-cpu, bytes. */
  allocatable: { cpuMilli: number; memoryBytes: number; ephemeralStorageBytes: number };
}

/** Go's %q of a string, near enough for label and annotation values. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/\u007f/g, "\\x7f");
}

/** A map as a file holds it: one `key="value"` a line, sorted by key. */
export function formatMap(map: Record<string, string> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${quote(map![key]!)}`)
    .join("\n");
}

/** The value of a field of the pod; undefined when there is no such field to be had. */
export function fieldValue(pod: Pod, path: string, context: DownwardContext): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === "labels" ? pod.metadata?.labels : pod.metadata?.annotations;
    return map?.[subscript[2]!] ?? "";
  }
  switch (path) {
    case "metadata.annotations":
      return formatMap(pod.metadata?.annotations);
    case "metadata.labels":
      return formatMap(pod.metadata?.labels);
    case "metadata.name":
      return podName(pod);
    case "metadata.namespace":
      return podNamespace(pod);
    case "metadata.uid":
      return podUID(pod);
    case "spec.nodeName":
      return pod.spec?.nodeName ?? context.nodeName;
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return context.hostIPs[0] ?? "";
    case "status.hostIPs":
      return context.hostIPs.join(",");
    case "status.podIP":
      return context.podIPs[0] ?? "";
    case "status.podIPs":
      return context.podIPs.join(",");
    default:
      return undefined;
  }
}

/** A fieldRef's value, or upstream's refusal. */
export function resolveField(
  pod: Pod,
  selector: ObjectFieldSelector,
  context: DownwardContext,
): string {
  const path = selector.fieldPath ?? "";
  const value = fieldValue(pod, path, context);
  if (value === undefined) throw new Error(`unsupported fieldPath: ${path}`);
  return value;
}

function divided(value: number, divisor: number): string {
  return String(Math.ceil(value / divisor));
}

/** A resourceFieldRef's value: rounded up to whole divisors. */
export function resolveResource(
  pod: Pod,
  selector: ResourceFieldSelector,
  container: Container | undefined,
  context: DownwardContext,
): string {
  const target = selector.containerName ? findContainer(pod, selector.containerName) : container;
  if (target === undefined) {
    throw new Error(`container ${selector.containerName ?? ""} not found`);
  }
  const resource = selector.resource ?? "";
  const [kind, ...rest] = resource.split(".");
  const name = rest.join(".");
  const divisorText = selector.divisor === "0" ? "1" : (selector.divisor ?? "1");
  const divisor = parseQuantity(divisorText);
  const list = kind === "limits" ? target.resources?.limits : target.resources?.requests;
  const given = list?.[name];
  const { allocatable } = context;
  if (name === "cpu") {
    const milli = given === undefined ? 0 : parseQuantity(given).milliValue();
    const value = milli === 0 && kind === "limits" ? allocatable.cpuMilli : milli;
    return divided(value, divisor.milliValue());
  }
  const bytes = given === undefined ? 0 : parseQuantity(given).value();
  const whole: Record<string, number> = {
    memory: allocatable.memoryBytes,
    "ephemeral-storage": allocatable.ephemeralStorageBytes,
  };
  if (!(name in whole) && !name.startsWith("hugepages-")) {
    throw new Error(`unsupported container resource : ${resource}`);
  }
  const value = bytes === 0 && kind === "limits" ? (whole[name] ?? 0) : bytes;
  return divided(value, divisor.value());
}
