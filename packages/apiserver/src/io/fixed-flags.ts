/**
 * Flags of kube-apiserver that have one value here, or whose value nobody can tell from the
 * answers. Another value is refused with the reason: better than to be believed.
 *
 * Shapes  what is allowed is a pattern of the whole value
 * Source  `kube-apiserver --help` of 1.36.3
 */
import type { FlagKind, Flags } from "./flags.ts";

interface FixedFlag {
  kind: FlagKind;
  allowed: RegExp;
  why: string;
}

const anything = /^/;
const nothing = /^$/;
const zero = /^0(s|m|h)?$/;
const yes = /^(1|t|true)$/i;
const no = /^(0|f|false)$/i;

const group = (kind: FlagKind, allowed: RegExp, flags: Record<string, string>) =>
  Object.entries(flags).map(([name, why]) => [name, { kind, allowed, why }] as const);

const fixedFlags: Readonly<Record<string, FixedFlag>> = Object.fromEntries([
  ...group("string", anything, {
    "delete-collection-workers": "objects are deleted one behind the other",
    "etcd-count-metric-poll-period": "objects are counted when they are asked for",
    "etcd-db-metric-poll-interval": "etcd is asked when somebody asks",
    "lease-reuse-duration-seconds": "leases are shared by the second",
    "log-flush-frequency": "lines are written at once",
    "log-json-info-buffer-size": "lines are written at once",
    "log-text-info-buffer-size": "lines are written at once",
    "storage-initialization-timeout": "the store is waited for",
  }),
  ...group("string", nothing, {
    "admission-control": "plugins are named by --enable-admission-plugins",
    "allow-metric-labels": "labels are as they are",
    "allow-metric-labels-manifest": "labels are as they are",
    "authorization-policy-file": "there is no authorization mode ABAC",
    "cors-allowed-origins": "no headers for other origins are sent",
    "debug-socket-path": "there is no socket for profiling",
    "disabled-metrics": "metrics are all shown",
    "egress-selector-config-file": "connections are made without a proxy",
    "etcd-servers-overrides": "all resources are in one store",
    "peer-advertise-ip": "requests are not passed on to other API servers",
    "peer-advertise-port": "requests are not passed on to other API servers",
    "peer-ca-file": "requests are not passed on to other API servers",
    "service-account-signing-endpoint": "tokens are signed with --service-account-signing-key-file",
    "show-hidden-metrics-for-version": "there are no hidden metrics",
    "tls-curve-preferences": "curves are chosen by the platform",
    "tls-sni-cert-key": "there is one serving certificate",
    "tracing-config-file": "requests are not traced",
    vmodule: "there is one verbosity, --v",
  }),
  ...group("string", zero, {
    "goaway-chance": "connections are not ended for the sake of balance",
    "kubernetes-service-node-port": "the kubernetes Service has a cluster IP only",
    "livez-grace-period": "/livez tells at once",
    "max-connection-bytes-per-sec": "connections are not slowed down",
    "shutdown-watch-termination-grace-period": "watches end when the server ends",
  }),
  ...group("bool", yes, {
    "aggregator-reject-forwarding-redirect": "redirects of other servers are never followed",
    "enable-garbage-collector": "deletion leaves finalizers for the garbage collector",
    "service-account-lookup": "tokens of deleted accounts are refused",
  }),
  ...group("bool", no, {
    "contention-profiling": "there are no locks to look at",
    "emulation-forward-compatible": "one version is served",
    "enable-logs-handler": "logs are not served",
    "log-json-split-stream": "all lines go to one stream",
    "log-text-split-stream": "all lines go to one stream",
    "permit-address-sharing": "an address is listened on alone",
    "permit-port-sharing": "a port is listened on alone",
    "runtime-config-emulation-forward-compatible": "one version is served",
    "shutdown-send-retry-after": "requests during shutdown are answered",
  }),
  ...group("bool", yes, { "watch-cache": "every resource is cached" }),
  ...group("string", /^(json|text)?$/, { "logging-format": "lines are JSON" }),
  ...group("string", /^(etcd3)?$/, { "storage-backend": "there is one, etcd3" }),
  ...group("string", /^((kube=)?1\.36)?$/, { "emulated-version": "one version is served" }),
  ...group("string", /^((kube=)?1\.3[56])?$/, {
    "min-compatibility-version": "one version is served",
  }),
  ...group("string", /^15s$/, { "coordinated-leadership-lease-duration": "nobody coordinates" }),
  ...group("string", /^10s$/, { "coordinated-leadership-renew-deadline": "nobody coordinates" }),
  ...group("string", /^2s$/, { "coordinated-leadership-retry-period": "nobody coordinates" }),
  ...group("string", /^2s$/, {
    "etcd-healthcheck-timeout": "etcd is asked for two seconds",
    "etcd-readycheck-timeout": "etcd is asked for two seconds",
  }),
  ...group("string", /^(5m(0s)?|300s)$/, {
    "etcd-compaction-interval": "etcd forgets every five minutes",
  }),
  ...group("string", /^5s$/, { "kubelet-timeout": "kubelets are waited for like other callers" }),
  ...group("string", /^(?!.*#0(,|$))/, { "watch-cache-sizes": "every resource is cached" }),
]);

export const fixedFlagKinds: Readonly<Record<string, FlagKind>> = Object.fromEntries(
  Object.entries(fixedFlags).map(([name, { kind }]) => [name, kind]),
);

export function fixedFlagProblems(flags: Flags): string[] {
  return Object.entries(fixedFlags).flatMap(([name, { allowed, why }]) => {
    const given = flags.get(name)?.at(-1);
    if (given === undefined || allowed.test(given)) return [];
    return [`--${name} ${JSON.stringify(given)} is not supported: ${why}`];
  });
}
