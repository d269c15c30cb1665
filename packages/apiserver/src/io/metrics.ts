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
import type { FeatureGates } from "../core/feature-gates.ts";
import type { FlowControl, LevelState } from "../core/flow-control/flow-control.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { RequestMetrics } from "../core/request-metrics.ts";
import type { ServedResource } from "../core/rest/context.ts";
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
}

type Series = readonly [labels: string, value: number];

function family(name: string, type: string, help: string, series: Iterable<Series>): string[] {
  const values = [...series].map(([labels, value]) =>
    labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`,
  );
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values];
}

export async function metricsText(sources: MetricSources): Promise<string> {
  const { registry, metrics, access, flowControl, audit } = sources;
  const lines = [
    ...metrics.lines(),
    ...access.lines(),
    ...sources.uses.lines(),
    ...storedObjects(registry),
    ...(await storeSize(sources.etcd)),
    ...watches(registry),
    ...flowControl.metrics.lines(),
    ...levelSeats(flowControl),
    ...(audit === undefined ? [] : audited(audit)),
    ...build(),
    ...features(sources.gates),
    ...processMetrics(),
  ];
  return `${lines.join("\n")}\n`;
}

const labelsOf = ({ info }: ServedResource): string =>
  `group="${info.group}",resource="${info.plural}"`;

function storedObjects(registry: ResourceRegistry): string[] {
  const all = [...registry.served()].filter(({ info }) => info.storageVersionHash !== undefined);
  const dotted = ({ info }: ServedResource): string =>
    info.group === "" ? info.plural : `${info.plural}.${info.group}`;
  return [
    ...family(
      "apiserver_storage_objects",
      "gauge",
      "[STABLE] (Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
      all.map((one) => [`resource="${dotted(one)}"`, one.cache.size]),
    ),
    ...family(
      "apiserver_resource_objects",
      "gauge",
      "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
      all.map((one) => [labelsOf(one), one.cache.size]),
    ),
    ...family(
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
  return family(
    "apiserver_storage_size_bytes",
    "gauge",
    "[STABLE] Size of the storage database file physically allocated in bytes.",
    status === undefined ? [] : [['storage_cluster_id="etcd-0"', Number(status.dbSize)]],
  );
}

function watches(registry: ResourceRegistry): string[] {
  const all = [...registry.served()];
  const watched = all.filter(({ cache }) => cache.watcherCount > 0);
  return [
    ...family(
      "apiserver_registered_watchers",
      "gauge",
      "[ALPHA] Number of currently registered watchers for a given resources",
      watched.map(({ info, cache }) => [
        `group="${info.group}",kind="${info.kind}",version="${info.version}"`,
        cache.watcherCount,
      ]),
    ),
    ...family(
      "apiserver_storage_events_received_total",
      "counter",
      "[BETA] Number of etcd events received split by kind.",
      all
        .filter(({ cache }) => cache.eventsReceived > 0)
        .map((one) => [labelsOf(one), one.cache.eventsReceived]),
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
    family(
      `apiserver_flowcontrol_${name}`,
      "gauge",
      help,
      levels.map((level) => [`priority_level="${level.name}"`, of(level)]),
    ),
  );
}

function audited({ events, rejected, levels, errors }: AuditCounts): string[] {
  const lead = "apiserver_audit";
  return [
    ...family(
      `${lead}_event_total`,
      "counter",
      "[ALPHA] Counter of audit events generated and sent to the audit backend.",
      [["", events]],
    ),
    ...family(
      `${lead}_error_total`,
      "counter",
      "[ALPHA] Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.",
      [...errors].map(([plugin, count]) => [`plugin="${plugin}"`, count]),
    ),
    ...family(
      `${lead}_level_total`,
      "counter",
      "[ALPHA] Counter of policy levels for audit events (1 per request).",
      [...levels].map(([level, count]) => [`level="${level}"`, count]),
    ),
    ...family(
      `${lead}_requests_rejected_total`,
      "counter",
      "[ALPHA] Counter of apiserver requests rejected due to an error in audit logging backend.",
      [["", rejected]],
    ),
  ];
}

function features(gates: FeatureGates): string[] {
  return family(
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
  return family(
    "kubernetes_build_info",
    "gauge",
    "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    [[text.join(","), 1]],
  );
}
