/**
 * How many requests of which kind were answered, how, and how long it took: upstream's series.
 *
 * Units   seconds; watches count when they begin and are in no histogram
 * Source  apiserver pkg/endpoints/metrics/metrics.go
 */
import { WebhookMetrics } from "./admission/webhooks/webhook-metrics.ts";
import { isLongRunning } from "./flow-control/flow-control.ts";
import { Histogram } from "./histogram.ts";
import type { RequestInfo } from "./request-info.ts";

const buckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Paths and content types are the caller's to choose. */
const labelsKeptMax = 10_000;

const verbs: Readonly<Record<string, string>> = {
  create: "POST",
  update: "PUT",
  deletecollection: "DELETECOLLECTION",
};

export class RequestMetrics {
  readonly webhooks = new WebhookMetrics();
  readonly #requests = new Map<string, number>();
  readonly #durations = new Histogram(buckets);
  /** The labels of requests that were alike. */
  readonly #labels = new Map<string, string>();

  record(info: RequestInfo, code: number, seconds: number, contentType = ""): void {
    const labels = this.#labelsOf(info, contentType);
    const request = `code="${code}",${labels}`;
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
    if (isLongRunning(info)) return;
    this.#durations.observe(labels, seconds);
  }

  #labelsOf(info: RequestInfo, contentType: string): string {
    const { verb, apiGroup, apiVersion, resource, subresource } = info;
    const what = `${verb} ${apiGroup}/${apiVersion}/${resource}/${subresource}`;
    const key = `${what} ${scopeOf(info)} ${contentType}`;
    let labels = this.#labels.get(key);
    if (labels === undefined) {
      labels = labelsOf(info, contentType);
      if (this.#labels.size < labelsKeptMax) this.#labels.set(key, labels);
    }
    return labels;
  }

  lines(): string[] {
    const out = [
      "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
      "# TYPE apiserver_request_total counter",
    ];
    for (const [labels, count] of this.#requests) {
      out.push(`apiserver_request_total{${labels}} ${count}`);
    }
    const name = "apiserver_request_duration_seconds";
    const help =
      "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.";
    out.push(...this.#durations.lines(name, help));
    out.push(...this.webhooks.lines());
    return out;
  }
}

function scopeOf({ isResourceRequest, name, namespace, verb }: RequestInfo): string {
  if (!isResourceRequest) return "";
  if (name !== "" || verb === "create") return "resource";
  return namespace !== "" ? "namespace" : "cluster";
}

function labelsOf(info: RequestInfo, contentType: string): string {
  const { isResourceRequest, apiGroup, apiVersion, resource, subresource } = info;
  const isApply = info.verb === "patch" && contentType.includes("apply-patch");
  const verb = isApply ? "APPLY" : (verbs[info.verb] ?? info.verb.toUpperCase());
  const scope = scopeOf(info);
  const [group, version] = isResourceRequest ? [apiGroup, apiVersion] : ["", ""];
  const all = {
    component: "apiserver",
    dry_run: "",
    group,
    resource,
    scope,
    subresource,
    verb,
    version,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}="${value.replaceAll(/["\\\n]/g, "")}"`)
    .join(",");
}
