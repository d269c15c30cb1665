/**
 * How many requests of which kind were answered, how, how long it took and how much was sent:
 * upstream's series.
 *
 * Units   seconds, bytes; what lasts (a watch, an exec) counts when it ends
 * Source  apiserver pkg/endpoints/metrics/metrics.go
 */
import { AdmissionMetrics } from "./admission/admission-metrics.ts";
import { isLongRunning } from "./flow-control/flow-control.ts";
import { Histogram } from "./histogram.ts";
import { metricFamily } from "./metric-family.ts";
import { type RequestInfo, scopeOf } from "./request-info.ts";

const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const sliBuckets = durationBuckets.slice(2);
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Paths and content types are the caller's to choose. */
const labelsKeptMax = 10_000;

const verbs: Readonly<Record<string, string>> = {
  create: "POST",
  update: "PUT",
  deletecollection: "DELETE",
};

export interface AnsweredRequest {
  info: RequestInfo;
  code: number;
  seconds: number;
  /** Of those, while it waited for a seat. */
  waitedSeconds: number;
  contentType: string;
  isDryRun: boolean;
  /** Asked by the server itself. */
  isOwn: boolean;
  /** Unknown for what is streamed. */
  sizeBytes: number | undefined;
}

/** The labels of requests that are alike: with and without "dry_run", which not every series has. */
interface Labels {
  whole: string;
  short: string;
  own: string;
  isRead: boolean;
  isWatch: boolean;
}

export class RequestMetrics {
  readonly admission = new AdmissionMetrics();
  /** At work now; what lasts is not among them. */
  readonly inFlight = { readOnly: 0, mutating: 0 };
  readonly #requests = new Map<string, number>();
  readonly #ownRequests = new Map<string, number>();
  readonly #durations = new Histogram(durationBuckets);
  readonly #indicators = new Histogram(sliBuckets);
  readonly #sizes = new Histogram(sizeBuckets);
  readonly #lasting = new Map<string, number>();
  readonly #deprecated = new Set<string>();
  readonly #labels = new Map<string, Labels>();

  record(answered: AnsweredRequest): void {
    const { info, code, seconds, waitedSeconds, contentType, isDryRun, isOwn, sizeBytes } =
      answered;
    if (!info.isResourceRequest && pathLabel(info.path) === "") return;
    const labels = this.#labelsOf(info, contentType, isDryRun);
    const request = `code="${code}",${labels.whole}`;
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
    if (isOwn) this.#ownRequests.set(labels.own, (this.#ownRequests.get(labels.own) ?? 0) + 1);
    this.#durations.observe(labels.whole, seconds);
    if (!isDryRun && !labels.isWatch)
      this.#indicators.observe(labels.short, seconds - waitedSeconds);
    if (labels.isRead && sizeBytes !== undefined) this.#sizes.observe(labels.short, sizeBytes);
  }

  /** One that lasts has begun, or is over. */
  lasting(info: RequestInfo, change: 1 | -1): void {
    const { short } = this.#labelsOf(info, "", false);
    this.#lasting.set(short, (this.#lasting.get(short) ?? 0) + change);
  }

  /** Somebody still uses what goes away. */
  deprecated(info: RequestInfo, removedRelease: string): void {
    const { apiGroup, apiVersion, resource, subresource } = info;
    const what = { group: apiGroup, removed_release: removedRelease, resource, subresource };
    this.#deprecated.add(labelText({ ...what, version: apiVersion }));
  }

  #labelsOf(info: RequestInfo, contentType: string, isDryRun: boolean): Labels {
    const { verb, apiGroup, apiVersion, resource, subresource } = info;
    const what = info.isResourceRequest
      ? `${verb} ${apiGroup}/${apiVersion}/${resource}/${subresource}`
      : `${verb} ${info.path}`;
    const key = `${what} ${scopeOf(info)} ${contentType} ${isDryRun}`;
    let labels = this.#labels.get(key);
    if (labels === undefined) {
      labels = labelsOf(info, contentType, isDryRun);
      if (this.#labels.size < labelsKeptMax) this.#labels.set(key, labels);
    }
    return labels;
  }

  lines(): string[] {
    const { readOnly, mutating } = this.inFlight;
    return [
      ...metricFamily(
        "apiserver_request_total",
        "counter",
        "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
        this.#requests,
      ),
      ...metricFamily(
        "apiserver_selfrequest_total",
        "counter",
        "[ALPHA] Counter of apiserver self-requests broken out for each verb, API resource and subresource.",
        this.#ownRequests,
      ),
      ...this.#durations.lines(
        "apiserver_request_duration_seconds",
        "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.",
      ),
      ...this.#indicators.lines(
        "apiserver_request_sli_duration_seconds",
        "[ALPHA] Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.",
      ),
      ...this.#sizes.lines(
        "apiserver_response_sizes",
        "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.",
      ),
      ...metricFamily(
        "apiserver_current_inflight_requests",
        "gauge",
        "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.",
        [
          [labelText({ request_kind: "mutating" }), mutating],
          [labelText({ request_kind: "readOnly" }), readOnly],
        ],
      ),
      ...metricFamily(
        "apiserver_longrunning_requests",
        "gauge",
        "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.",
        this.#lasting,
      ),
      ...metricFamily(
        "apiserver_requested_deprecated_apis",
        "gauge",
        "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.",
        [...this.#deprecated].map((labels) => [labels, 1]),
      ),
      ...this.admission.lines(),
    ];
  }
}

/** Of the paths that are no resources upstream counts these. */
function pathLabel(path: string): string {
  const [, root = "", second = ""] = path.split("/");
  if (root === "openapi" && ["v2", "v3"].includes(second)) return `openapi/${second}`;
  return ["readyz", "livez", "healthz"].includes(root) && second === "" ? `/${root}` : "";
}

function labelsOf(info: RequestInfo, contentType: string, isDryRun: boolean): Labels {
  const { isResourceRequest, apiGroup, apiVersion, resource, path } = info;
  const isApply = info.verb === "patch" && contentType.includes("apply-patch");
  const connects = isLongRunning(info) && !["watch", "proxy"].includes(info.verb);
  const usual = verbs[info.verb] ?? info.verb.toUpperCase();
  const verb = isApply ? "APPLY" : connects ? "CONNECT" : usual;
  const short = {
    component: isResourceRequest ? "apiserver" : "",
    group: isResourceRequest ? apiGroup : "",
    resource,
    scope: scopeOf(info),
    subresource: isResourceRequest ? info.subresource : pathLabel(path),
    verb,
    version: isResourceRequest ? apiVersion : "",
  };
  const { component, ...others } = short;
  const { group, subresource } = short;
  return {
    whole: labelText({ component, dry_run: isDryRun ? "All" : "", ...others }),
    short: labelText(short),
    own: labelText({ group, resource, subresource, verb }),
    isRead: ["GET", "LIST", "WATCH"].includes(verb),
    isWatch: verb === "WATCH",
  };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${value.replaceAll(/["\\\n]/g, "")}"`)
    .join(",");
}
