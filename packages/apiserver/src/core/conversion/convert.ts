/**
 * The few built-in kinds that are served in more than one version.
 *
 * Shapes  Event: v1 ↔ events.k8s.io/v1; HorizontalPodAutoscaler: autoscaling/v1 ↔ v2; where two
 *         versions of a group have the same fields, only apiVersion changes
 * Source  pkg/apis/core/v1/conversion.go, pkg/apis/events/v1/conversion.go,
 *         pkg/apis/autoscaling/v1/conversion.go
 */
import type { KubeObject } from "@nanokube/machinery";
import { autoscalerToV1, autoscalerToV2 } from "./autoscaler.ts";
import { deviceKind } from "./device.ts";

export function convert(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  if (object.kind === "Event" && apiVersion === "events.k8s.io/v1") return eventToEvents(object);
  if (object.kind === "Event" && apiVersion === "v1") return eventToCore(object);
  if (object.kind === "HorizontalPodAutoscaler") {
    if (apiVersion === "autoscaling/v1") return autoscalerToV1(object);
    return autoscalerToV2(object);
  }
  if (apiVersion.startsWith("resource.k8s.io/")) return deviceKind(object, apiVersion);
  return { ...object, apiVersion };
}

/** Core's name of a field, then that of events.k8s.io. */
const eventFields: readonly (readonly [string, string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];

function eventToEvents(object: KubeObject): KubeObject {
  const event = rename(object, "events.k8s.io/v1", eventFields);
  // Core writes them when they are empty, too.
  for (const name of ["reportingController", "reportingInstance"]) {
    if (event[name] === "") delete event[name];
  }
  return event;
}

function eventToCore(object: KubeObject): KubeObject {
  const back = eventFields.map(([core, events]) => [events, core] as const);
  return rename(object, "v1", back);
}

function rename(
  object: KubeObject,
  apiVersion: string,
  fields: readonly (readonly [string, string])[],
): KubeObject {
  const names = new Map(fields);
  const renamed: KubeObject = {};
  for (const [name, value] of Object.entries(object)) renamed[names.get(name) ?? name] = value;
  renamed.apiVersion = apiVersion;
  return renamed;
}
