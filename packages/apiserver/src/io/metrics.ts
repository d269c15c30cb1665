/**
 * /metrics: upstream's series of what there is here, by upstream's names, labels and stability.
 *
 * Source  apiserver pkg/storage/etcd3/metrics, pkg/endpoints/metrics, pkg/util/flowcontrol/metrics;
 *         component-base/version; prometheus/client_golang process_collector.go
 */
import { kubernetesVersion } from "@nanokube/api";
import { type Channel, createClient, etcd } from "@nanokube/rpc";
import type { AccessMetrics } from "../core/access-metrics.ts";
import type { AuditCounts } from "../core/audit/trail.ts";
import type { TokenUses } from "../core/authentication/token-uses.ts";
import { type CountedCache, cacheMetrics } from "../core/cache/cache-metrics.ts";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import type { StoredObject } from "../core/cache/stored-object.ts";
import type { FeatureGates } from "../core/feature-gates.ts";
import type { FlowControl, LevelState } from "../core/flow-control/flow-control.ts";
import { metricFamily } from "../core/metric-family.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { RequestMetrics } from "../core/request-metrics.ts";
import type { EtcdStore } from "./etcd-store.ts";
import { processMetrics } from "./process-metrics.ts";

export interface MetricSources {
  registry: ResourceRegistry;
  metrics: RequestMetrics;
  access: AccessMetrics;
  uses: TokenUses;
  flowControl: FlowControl;
  audit: AuditCounts | undefined;
  etcd: Channel;
  gates: FeatureGates;
  store: EtcdStore;
}

export async function metricsText(sources: MetricSources): Promise<string> {
  const { registry, metrics, access, flowControl, audit } = sources;
  const { revision, progressNotes, leases } = sources.store;
  const caches = cachesOf(registry);
  const lines = [
    ...metrics.lines(),
    ...access.lines(),
    ...sources.uses.lines(),
    ...storedObjects(caches),
    ...(await storeSize(sources.etcd)),
    ...watches(registry),
    ...unavailable(registry),
    ...cacheMetrics(caches, { revision, progressNotes, objectsOfLease: leases.objectsOfLease }),
    ...flowControl.metrics.lines(),
    ...levelSeats(flowControl),
    ...audited(audit),
    ...build(),
    ...compatibility(),
    ...features(sources.gates),
    ...processMetrics(),
  ];
  return `${lines.join("\n")}\n`;
}

const labelsOf = ({ group, resource }: CountedCache): string =>
  `group="${group}",resource="${resource}"`;

function storedObjects(all: readonly CountedCache[]): string[] {
  const dotted = ({ group, resource }: CountedCache): string =>
    group === "" ? resource : `${resource}.${group}`;
  return [
    ...metricFamily(
      "apiserver_storage_objects",
      "gauge",
      "[STABLE] (Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
      all.map((one) => [`resource="${dotted(one)}"`, one.cache.size]),
    ),
    ...metricFamily(
      "apiserver_resource_objects",
      "gauge",
      "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
      all.map((one) => [labelsOf(one), one.cache.size]),
    ),
    ...metricFamily(
      "apiserver_resource_size_estimate_bytes",
      "gauge",
      "[ALPHA] Estimated size of stored objects in database. Estimate is based on sum of last observed sizes of serialized objects. In case of a fetching error, the value will be -1.",
      all.map((one) => [labelsOf(one), one.cache.averageBytes() * one.cache.size]),
    ),
  ];
}

const sizeTimeoutMs = 2_000;

/** Absent while the store is away. */
async function storeSize(channel: Channel): Promise<string[]> {
  const maintenance = createClient(channel, etcd.Maintenance);
  const status = await maintenance.status({}, { timeoutMs: sizeTimeoutMs }).catch(() => undefined);
  return metricFamily(
    "apiserver_storage_size_bytes",
    "gauge",
    "[STABLE] Size of the storage database file physically allocated in bytes.",
    status === undefined ? [] : [['storage_cluster_id="etcd-0"', Number(status.dbSize)]],
  );
}

/** Versions of one kind share a cache. */
function cachesOf(registry: ResourceRegistry): CountedCache[] {
  const caches = new Map<ResourceCache, CountedCache>();
  for (const { info, cache } of registry.served()) {
    if (info.storageVersionHash === undefined || caches.has(cache)) continue;
    caches.set(cache, { group: info.group, resource: info.plural, cache });
  }
  return [...caches.values()];
}

interface Judged {
  status?: { conditions?: { type: string; status: string }[] };
}

function unavailable(registry: ResourceRegistry): string[] {
  const services = registry.lookup("apiregistration.k8s.io", "v1", "apiservices");
  const isAway = (object: StoredObject): boolean =>
    (object.shared() as Judged).status?.conditions?.some(
      ({ type, status }) => type === "Available" && status === "False",
    ) ?? false;
  return metricFamily(
    "aggregator_unavailable_apiservice",
    "gauge",
    "[ALPHA] Gauge of APIServices which are marked as unavailable broken down by APIService name.",
    [...(services?.cache.scan() ?? [])].map((one) => [`name="${one.name}"`, isAway(one) ? 1 : 0]),
  );
}

function watches(registry: ResourceRegistry): string[] {
  const all = [...registry.served()];
  const watched = all.filter(({ cache }) => cache.watcherCount > 0);
  return [
    ...metricFamily(
      "apiserver_registered_watchers",
      "gauge",
      "[ALPHA] Number of currently registered watchers for a given resources",
      watched.map(({ info, cache }) => [
        `group="${info.group}",kind="${info.kind}",version="${info.version}"`,
        cache.watcherCount,
      ]),
    ),
  ];
}

type SeatGauge = readonly [name: string, help: string, of: (level: LevelState) => number];

const seatGauges: readonly SeatGauge[] = [
  [
    "nominal_limit_seats",
    "[BETA] Nominal number of execution seats configured for each priority level",
    ({ seats }) => seats,
  ],
  [
    "current_limit_seats",
    "[ALPHA] current derived number of execution seats available to each priority level",
    ({ limits, seats }) => limits?.current ?? seats,
  ],
  [
    "lower_limit_seats",
    "[ALPHA] Configured lower bound on number of execution seats available to each priority level",
    ({ limits, seats }) => limits?.min ?? seats,
  ],
  [
    "upper_limit_seats",
    "[ALPHA] Configured upper bound on number of execution seats available to each priority level",
    ({ limits, seats }) => limits?.max ?? seats,
  ],
  ["current_r", "[ALPHA] R(time of last change)", ({ queues }) => queues?.currentR ?? 0],
];

function levelSeats(flowControl: FlowControl): string[] {
  const levels = flowControl.levels();
  return seatGauges.flatMap(([name, help, of]) =>
    metricFamily(
      `apiserver_flowcontrol_${name}`,
      "gauge",
      help,
      levels.map((level) => [`priority_level="${level.name}"`, of(level)]),
    ),
  );
}

/** Of an audit that is off there is nothing but two zeros. */
function audited(counts: AuditCounts | undefined): string[] {
  const { events = 0, rejected = 0, levels = [], errors = [] } = counts ?? {};
  const lead = "apiserver_audit";
  return [
    ...metricFamily(
      `${lead}_event_total`,
      "counter",
      "[ALPHA] Counter of audit events generated and sent to the audit backend.",
      [["", events]],
    ),
    ...metricFamily(
      `${lead}_error_total`,
      "counter",
      "[ALPHA] Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.",
      [...errors].map(([plugin, count]) => [`plugin="${plugin}"`, count]),
    ),
    ...metricFamily(
      `${lead}_level_total`,
      "counter",
      "[ALPHA] Counter of policy levels for audit events (1 per request).",
      [...levels].map(([level, count]) => [`level="${level}"`, count]),
    ),
    ...metricFamily(
      `${lead}_requests_rejected_total`,
      "counter",
      "[ALPHA] Counter of apiserver requests rejected due to an error in audit logging backend.",
      [["", rejected]],
    ),
  ];
}

function features(gates: FeatureGates): string[] {
  return metricFamily(
    "kubernetes_feature_enabled",
    "gauge",
    "[BETA] This metric records the data about the stage and enablement of a k8s feature.",
    [...gates.all()].map(({ name, stage, isOn }) => [
      `name="${name}",stage="${stage}"`,
      isOn ? 1 : 0,
    ]),
  );
}

function build(): string[] {
  const [major = "", minor = ""] = kubernetesVersion.replace(/^v/, "").split(".");
  const labels = {
    build_date: "1970-01-01T00:00:00Z",
    compiler: "typescript",
    git_commit: "",
    git_tree_state: "clean",
    git_version: kubernetesVersion,
    go_version: "",
    major,
    minor,
    platform: `${process.platform}/${process.arch}`,
  };
  const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return metricFamily(
    "kubernetes_build_info",
    "gauge",
    "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    [[text.join(","), 1]],
  );
}

function compatibility(): string[] {
  const binary = kubernetesVersion.replace(/^v/, "");
  const [major = "", minor = ""] = binary.split(".");
  const versions = `emulation="${major}.${minor}",min_compat="${major}.${Number(minor) - 1}"`;
  return metricFamily(
    "version_info",
    "gauge",
    "[ALPHA] Provides the compatibility version info of the component. The component label is the name of the component, usually kube, but is relevant for aggregated-apiservers.",
    [[`binary="${binary}",component="kube",${versions}`, 1]],
  );
}
