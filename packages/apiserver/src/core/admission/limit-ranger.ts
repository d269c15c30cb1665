/**
 * LimitRanger: defaults from a namespace's LimitRanges, then its bounds.
 *
 * Source  plugin/pkg/admission/limitranger/admission.go
 */
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from "@nanokube/api/core/v1";
import { aggregateTexts, parseQuantity } from "@nanokube/machinery";
import { podRequests } from "../../resources/core/pod/resources.ts";
import { compareQuantities, type ResourceList } from "../../resources/resource-list.ts";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const annotation = "kubernetes.io/limit-ranger";

interface Asked {
  requests: ResourceList;
  limits: ResourceList;
}

const text = (value: string | undefined) => parseQuantity(value ?? "0").toString();

function checkMin(noun: string, name: string, least: string, { requests, limits }: Asked) {
  const lead = `minimum ${name} usage per ${noun} is ${text(least)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return `${lead}.  No request is specified`;
  if (compareQuantities(request, least) < 0) return `${lead}, but request is ${text(request)}`;
  if (limit !== undefined && compareQuantities(limit, least) < 0) {
    return `${lead}, but limit is ${text(limit)}`;
  }
  return undefined;
}

function checkMax(noun: string, name: string, most: string, { requests, limits }: Asked) {
  const lead = `maximum ${name} usage per ${noun} is ${text(most)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return `${lead}.  No limit is specified`;
  if (compareQuantities(limit, most) > 0) return `${lead}, but limit is ${text(limit)}`;
  if (request !== undefined && compareQuantities(request, most) > 0) {
    return `${lead}, but request is ${text(request)}`;
  }
  return undefined;
}

function checkRatio(noun: string, name: string, most: string, { requests, limits }: Asked) {
  const lead = `${name} max limit to request ratio per ${noun} is ${text(most)}`;
  const milli = (value: string | undefined) => parseQuantity(value ?? "0").milliValue();
  const [request, limit] = [milli(requests[name]), milli(limits[name])];
  if (request === 0) return `${lead}, but no request is specified or request is 0`;
  if (limit === 0) return `${lead}, but no limit is specified or limit is 0`;
  const ratio = limit / request;
  if (ratio * 1000 <= milli(most)) return undefined;
  return `${lead}, but provided ratio is ${ratio.toFixed(6)}`;
}

function checkItem(item: LimitRangeItem, asked: Asked): string[] {
  const noun = item.type ?? "";
  const checks = [
    [item.min, checkMin],
    [item.max, checkMax],
    [item.maxLimitRequestRatio, checkRatio],
  ] as const;
  return checks.flatMap(([list, check]) =>
    Object.entries((list ?? {}) as ResourceList).flatMap(
      ([name, bound]) => check(noun, name, bound, asked) ?? [],
    ),
  );
}

function askedBy(container: Container): Asked {
  const { requests, limits } = container.resources ?? {};
  return { requests: (requests ?? {}) as ResourceList, limits: (limits ?? {}) as ResourceList };
}

function checkPod(item: LimitRangeItem, pod: Pod): string[] {
  const { overhead: _overhead, ...spec } = pod.spec ?? {};
  if (item.type === "Pod") {
    const asked = { requests: podRequests(spec), limits: podRequests(spec, "limits") };
    return checkItem(item, asked);
  }
  if (item.type !== "Container") return [];
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((container) =>
    checkItem(item, askedBy(container)),
  );
}

function checkClaim(item: LimitRangeItem, claim: PersistentVolumeClaim): string[] {
  if (item.type !== "PersistentVolumeClaim") return [];
  const requests = (claim.spec?.resources?.requests ?? {}) as ResourceList;
  // A claim has no limits: its request stands for both.
  return checkItem(item, { requests, limits: requests }).map((problem) =>
    problem.startsWith("maximum") ? problem.replace("limit", "request") : problem,
  );
}

function applyDefaults(range: LimitRange, pod: Pod): void {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === "Container");
  const limits = Object.assign({}, ...items.map((item) => item.default)) as ResourceList;
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest)) as ResourceList;
  const notes: string[] = [];
  const fill = (container: Container, noun: string): void => {
    const given = askedBy(container);
    const missing = (defaults: ResourceList, own: ResourceList) =>
      Object.keys(defaults)
        .filter((name) => own[name] === undefined)
        .sort();
    const [noRequest, noLimit] = [missing(requests, given.requests), missing(limits, given.limits)];
    if (noRequest.length > 0)
      notes.push(`${noRequest.join(", ")} request for ${noun} ${container.name}`);
    if (noLimit.length > 0) notes.push(`${noLimit.join(", ")} limit for ${noun} ${container.name}`);
    if (noRequest.length + noLimit.length === 0) return;
    container.resources = {
      ...container.resources,
      limits: { ...limits, ...given.limits },
      requests: { ...requests, ...given.requests },
    };
  };
  for (const container of pod.spec?.containers ?? []) fill(container, "container");
  for (const container of pod.spec?.initContainers ?? []) fill(container, "init container");
  if (notes.length === 0) return;
  pod.metadata ??= {};
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join("; ")}`,
  };
}

async function rangesOf(reader: ObjectReader, namespace: string): Promise<LimitRange[]> {
  return [...((await reader.list("", "limitranges", namespace)) as readonly LimitRange[])];
}

function supports(attributes: AdmissionAttributes): boolean {
  const { operation, oldObject } = attributes;
  if (oldObject?.metadata?.deletionTimestamp) return false;
  if (isFor(attributes, "", "pods")) return operation === "CREATE";
  if (isFor(attributes, "", "pods", "resize")) return operation === "UPDATE";
  if (!isFor(attributes, "", "persistentvolumeclaims")) return false;
  return operation === "CREATE" || operation === "UPDATE";
}

export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  handles: supports,
  async admit(attributes, reader) {
    if (!isFor(attributes, "", "pods")) return;
    for (const range of await rangesOf(reader, attributes.namespace)) {
      applyDefaults(range, attributes.object as Pod);
    }
  },
  async validate(attributes, reader) {
    for (const range of await rangesOf(reader, attributes.namespace)) {
      const problems = (range.spec?.limits ?? []).flatMap((item) =>
        attributes.resource.plural === "pods"
          ? checkPod(item, attributes.object as Pod)
          : checkClaim(item, attributes.object as PersistentVolumeClaim),
      );
      if (problems.length > 0) throw refuse(attributes, aggregateTexts(problems));
    }
  },
};
