/**
 * Event: something happened to an object. Stored as core/v1, served as events.k8s.io/v1 too.
 *
 * Source  pkg/registry/core/event/strategy.go, pkg/apis/core/validation/events.go
 */
import type { Event } from "@nanokube/api/core/v1";
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { check, type FieldError, field, invalid, required } from "../field.ts";
import { kind } from "../generic.ts";
import { byteLength, dns1123Subdomain, qualifiedName } from "../names.ts";
import { validateImmutable, validateObjectMeta, validateObjectMetaUpdate } from "../object-meta.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { columns, nameOf, since } from "../table.ts";

/** The fields by the names of either version. */
interface AnyEvent extends Event {
  regarding?: Event["involvedObject"];
  note?: string;
  deprecatedSource?: Event["source"];
  deprecatedFirstTimestamp?: string;
  deprecatedLastTimestamp?: string;
  deprecatedCount?: number;
  reportingController?: string;
}

const isCore = (event: AnyEvent) => event.apiVersion === "v1" || event.apiVersion === undefined;
const regarding = (event: AnyEvent) => event.involvedObject ?? event.regarding ?? {};
const controller = (event: AnyEvent) => event.reportingComponent ?? event.reportingController ?? "";
const noteOf = (event: AnyEvent) => event.message ?? event.note ?? "";

function validateSince(event: AnyEvent): FieldError[] {
  const object = isCore(event) ? field("reportingComponent") : field("reportingController");
  const errors: FieldError[] = [];
  const reporter = controller(event);
  if (reporter === "") errors.push(required(object));
  errors.push(...check(object, reporter, qualifiedName));
  const limits = [
    ["reportingInstance", event.reportingInstance, 128, true],
    ["action", event.action, 128, true],
    ["reason", event.reason, 128, true],
    ["message", noteOf(event), 1024, false],
  ] as const;
  for (const [name, value, most, needed] of limits) {
    if (needed && !value) errors.push(required(field(name)));
    if (byteLength(value ?? "") > most) {
      errors.push(invalid(field(name), "", `can have at most ${most} characters`));
    }
  }
  return errors;
}

function validateEvent(event: AnyEvent): FieldError[] {
  const errors = validateLegacy(event);
  if (isCore(event)) return errors;
  const meta = validateObjectMeta((event.metadata ?? {}) as ObjectMeta, true);
  return [...errors, ...meta, ...validateNew(event)];
}

function validateLegacy(event: AnyEvent): FieldError[] {
  const namespace = event.metadata?.namespace ?? "";
  const other = regarding(event).namespace ?? "";
  const at = field("involvedObject", "namespace");
  const mismatch = [invalid(at, other, "does not match event.namespace")];
  const errors: FieldError[] = [];
  if (!event.eventTime) {
    const fine = other === "" ? namespace === "" || namespace === "default" : namespace === other;
    if (!fine) errors.push(...mismatch);
  } else {
    const fine = other !== "" || namespace === "default" || namespace === "kube-system";
    if (!fine) errors.push(...mismatch);
    errors.push(...validateSince(event));
  }
  errors.push(...check(field("namespace"), namespace, dns1123Subdomain));
  return errors;
}

/** What only events.k8s.io/v1 demands. */
function validateNew(event: AnyEvent): FieldError[] {
  const errors = validateSeries(event);
  if (!event.eventTime) errors.push(required(field("eventTime")));
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(invalid(field("type"), "", `has invalid value: ${event.type ?? ""}`));
  }
  const old = [
    ["firstTimestamp", event.deprecatedFirstTimestamp],
    ["lastTimestamp", event.deprecatedLastTimestamp],
    ["count", event.deprecatedCount],
    ["source", event.deprecatedSource?.component || event.deprecatedSource?.host],
  ] as const;
  for (const [name, value] of old) {
    if (value) errors.push(invalid(field(name), "", "needs to be unset"));
  }
  return errors;
}

function validateSeries(event: AnyEvent): FieldError[] {
  if (event.series === undefined) return [];
  const errors: FieldError[] = [];
  if ((event.series.count ?? 0) < 2) {
    errors.push(invalid(field("series.count"), "", "should be at least 2"));
  }
  if (!event.series.lastObservedTime) errors.push(required(field("series.lastObservedTime")));
  return errors;
}

const source = (event: AnyEvent) => event.source ?? event.deprecatedSource ?? {};
const firstOf = (event: AnyEvent) => event.firstTimestamp ?? event.deprecatedFirstTimestamp;
const lastOf = (event: AnyEvent) => event.lastTimestamp ?? event.deprecatedLastTimestamp;

/** In upstream's order, which names the reason twice. */
const frozen = [
  ["involvedObject", regarding],
  ["reason", (event: AnyEvent) => event.reason ?? ""],
  ["message", noteOf],
  ["source", source],
  ["firstTimestamp", firstOf],
  ["lastTimestamp", lastOf],
  ["count", (event: AnyEvent) => event.count ?? event.deprecatedCount ?? 0],
  ["reason", (event: AnyEvent) => event.reason ?? ""],
  ["type", (event: AnyEvent) => event.type ?? ""],
  ["eventTime", (event: AnyEvent) => event.eventTime],
  ["action", (event: AnyEvent) => event.action ?? ""],
  ["related", (event: AnyEvent) => event.related],
  ["reportingController", controller],
  ["reportingInstance", (event: AnyEvent) => event.reportingInstance ?? ""],
] as const;

function validateUpdate(event: AnyEvent, old: AnyEvent): FieldError[] {
  const errors = validateLegacy(event);
  if (isCore(event)) return errors;
  const [meta, before] = [event.metadata ?? {}, old.metadata ?? {}];
  errors.push(...validateObjectMetaUpdate(meta as ObjectMeta, before as ObjectMeta));
  if (!semanticEqual(event.series, old.series)) errors.push(...validateSeries(event));
  for (const [name, get] of frozen) {
    errors.push(...validateImmutable(get(event), get(old), field(name)));
  }
  return errors;
}

const referenceParts = [
  "kind",
  "namespace",
  "name",
  "uid",
  "apiVersion",
  "resourceVersion",
  "fieldPath",
] as const;

/** What events.k8s.io calls the fields that core names otherwise. */
const newLabels: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    referenceParts.map((part) => [`regarding.${part}`, `involvedObject.${part}`]),
  ),
  reason: "reason",
  reportingController: "reportingComponent",
  type: "type",
};

function eventFields(event: AnyEvent): Record<string, string> {
  const object = regarding(event);
  const source = event.source ?? event.deprecatedSource;
  return {
    "involvedObject.kind": object.kind ?? "",
    "involvedObject.namespace": object.namespace ?? "",
    "involvedObject.name": object.name ?? "",
    "involvedObject.uid": object.uid ?? "",
    "involvedObject.apiVersion": object.apiVersion ?? "",
    "involvedObject.resourceVersion": object.resourceVersion ?? "",
    "involvedObject.fieldPath": object.fieldPath ?? "",
    reason: event.reason ?? "",
    reportingComponent: controller(event),
    source: source?.component || controller(event),
    type: event.type ?? "",
  };
}

function eventRow(event: AnyEvent, now: number): unknown[] {
  const object = regarding(event);
  const source = event.source ?? event.deprecatedSource;
  const first = since(
    event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime,
    now,
  );
  const lastSeen = event.lastTimestamp ?? event.deprecatedLastTimestamp;
  let last = lastSeen ? since(lastSeen, now) : first;
  let count = event.count ?? event.deprecatedCount ?? 0;
  if (event.series !== undefined) {
    last = since(event.series.lastObservedTime, now);
    count = event.series.count ?? 0;
  } else if (count === 0) count = 1;
  const kindName = (object.kind ?? "").toLowerCase();
  const component = source?.component || controller(event);
  const host = source?.host || event.reportingInstance || "";
  return [
    last,
    event.type ?? "",
    event.reason ?? "",
    object.name ? `${kindName}/${object.name}` : kindName,
    object.fieldPath ?? "",
    host === "" ? component : `${component}, ${host}`,
    noteOf(event).trim(),
    first,
    count,
    nameOf(event),
  ];
}

export const eventStrategy: ResourceStrategy = kind(
  { updateMeta: [], wholeMeta: false },
  {
    validate: (object) => validateEvent(object as AnyEvent),
    validateUpdate: (object, old) => validateUpdate(object as AnyEvent, old as AnyEvent),
    allowCreateOnUpdate: true,
    selectableFields: (object) => eventFields(object as AnyEvent),
    fieldLabels: (apiVersion) => (apiVersion === "v1" ? undefined : newLabels),
    columns: columns(
      "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*",
    ),
    row: (object, now) => eventRow(object as AnyEvent, now),
  },
);
