/**
 * Every flag that is known by name, for the server and for `snapshot restore`.
 *
 * Source  etcd v3.6 server/embed/config.go, server/etcdmain/{config,help}.go;
 *         etcdutl/etcdutl/snapshot_command.go
 */

export type FlagKind =
  | "string"
  | "bool"
  | "uint"
  | "int"
  | "duration"
  | "float"
  | "urls"
  | "gates"
  /** One of `only`; anything else is no value in etcd either. */
  | "choice";

export interface FlagFact {
  readonly kind: FlagKind;
  /** Understood, and without a meaning for this server: accepted silently. */
  readonly ignored?: string;
  /** Only these values are possible. */
  readonly only?: readonly string[];
  /** It asks for something that is not here, unless this is its value. */
  readonly refusedUnless?: string;
}

export type FlagFacts = Readonly<Record<string, FlagFact>>;

const tuning = "there is no such part here to tune";
const absent = (): FlagFact => ({ kind: "string", refusedUnless: "" });
const off: FlagFact = { kind: "bool", refusedUnless: "false" };

export const serverFlags: FlagFacts = {
  name: { kind: "string" },
  "data-dir": { kind: "string" },
  "wal-dir": { kind: "string" },
  "config-file": { kind: "string" },
  "force-new-cluster": { kind: "bool" },
  "listen-client-urls": { kind: "urls" },
  "listen-client-http-urls": { kind: "urls" },
  "advertise-client-urls": { kind: "urls" },
  "listen-metrics-urls": { kind: "urls" },
  "listen-peer-urls": { kind: "urls" },
  "initial-advertise-peer-urls": { kind: "urls" },
  "initial-cluster": { kind: "string" },
  "initial-cluster-token": { kind: "string" },
  "initial-cluster-state": { kind: "choice", only: ["new", "existing"] },
  "cert-file": { kind: "string" },
  "key-file": { kind: "string" },
  "trusted-ca-file": { kind: "string" },
  "client-cert-auth": { kind: "bool" },
  "client-crl-file": { kind: "string" },
  "cipher-suites": { kind: "string" },
  "auto-tls": { kind: "bool" },
  "self-signed-cert-validity": { kind: "uint" },
  "tls-min-version": { kind: "string" },
  "tls-max-version": { kind: "string" },
  "auth-token": { kind: "string" },
  "auth-token-ttl": { kind: "uint" },
  "bcrypt-cost": { kind: "uint" },
  cors: { kind: "string" },
  "host-whitelist": { kind: "string" },
  "enable-grpc-gateway": { kind: "bool" },
  "log-level": { kind: "string" },
  logger: { kind: "string" },
  "log-outputs": { kind: "string" },
  "log-format": { kind: "string" },
  "quota-backend-bytes": { kind: "int" },
  "max-txn-ops": { kind: "uint" },
  "max-request-bytes": { kind: "uint" },
  "max-learners": { kind: "int" },
  "auto-compaction-mode": { kind: "string" },
  "auto-compaction-retention": { kind: "string" },
  "unsafe-no-fsync": { kind: "bool" },
  "watch-progress-notify-interval": { kind: "duration" },
  "snapshot-count": { kind: "uint" },
  "snapshot-catchup-entries": { kind: "uint" },
  "heartbeat-interval": { kind: "uint" },
  "election-timeout": { kind: "uint" },
  "pre-vote": { kind: "bool" },
  "strict-reconfig-check": { kind: "bool" },
  "peer-cert-file": { kind: "string" },
  "peer-key-file": { kind: "string" },
  "peer-trusted-ca-file": { kind: "string" },
  "peer-client-cert-auth": { kind: "bool" },
  "corrupt-check-time": { kind: "duration" },
  "compact-hash-check-time": { kind: "duration" },
  "downgrade-check-time": { kind: "duration", ignored: tuning },
  "feature-gates": { kind: "gates" },
  metrics: { kind: "string" },
  version: { kind: "bool" },
  help: { kind: "bool" },

  "max-snapshots": { kind: "uint", ignored: tuning },
  "max-wals": { kind: "uint", ignored: tuning },
  "initial-election-tick-advance": { kind: "bool" },
  "backend-batch-interval": { kind: "duration", ignored: tuning },
  "backend-batch-limit": { kind: "int", ignored: tuning },
  "backend-bbolt-freelist-type": { kind: "string", ignored: tuning },
  "compaction-batch-limit": { kind: "int", ignored: tuning },
  "compaction-sleep-interval": { kind: "duration", ignored: tuning },
  "bootstrap-defrag-threshold-megabytes": { kind: "uint", ignored: tuning },
  "warning-apply-duration": { kind: "duration" },
  "warning-unary-request-duration": { kind: "duration", ignored: tuning },
  "raft-read-timeout": { kind: "duration", ignored: tuning },
  "raft-write-timeout": { kind: "duration", ignored: tuning },
  "distributed-tracing-address": { kind: "string", ignored: tuning },
  "distributed-tracing-service-name": { kind: "string", ignored: tuning },
  "distributed-tracing-instance-id": { kind: "string", ignored: tuning },
  "distributed-tracing-sampling-rate": { kind: "int", ignored: tuning },
  "log-rotation-config-json": { kind: "string" },
  "discovery-dial-timeout": { kind: "duration", ignored: tuning },
  "discovery-request-timeout": { kind: "duration", ignored: tuning },
  "discovery-keepalive-time": { kind: "duration", ignored: tuning },
  "discovery-keepalive-timeout": { kind: "duration", ignored: tuning },
  "discovery-insecure-transport": { kind: "bool", ignored: tuning },
  "discovery-insecure-skip-tls-verify": { kind: "bool", ignored: tuning },
  "discovery-fallback": { kind: "choice", only: ["exit"], ignored: tuning },
  "v2-deprecation": {
    kind: "choice",
    only: ["not-yet", "write-only", "write-only-drop-data", "gone"],
    ignored: "etcd ignores it too",
  },
  // Names in peers' certificates are not compared here, nor by etcd when it is set.
  "peer-skip-client-san-verification": { kind: "bool", ignored: tuning },

  "peer-auto-tls": { kind: "bool" },
  "enable-log-rotation": { kind: "bool" },
  "socket-reuse-port": { kind: "bool" },
  "socket-reuse-address": { kind: "bool", ignored: "every listener has it" },
  // For calls of a member to itself, which need no certificate here.
  "client-cert-file": { kind: "string" },
  "client-key-file": { kind: "string" },
  "client-cert-allowed-hostname": { kind: "string" },
  "peer-client-cert-file": { kind: "string" },
  "peer-client-key-file": { kind: "string" },
  "peer-cert-allowed-cn": { kind: "string" },
  "peer-cert-allowed-hostname": { kind: "string" },
  "peer-crl-file": { kind: "string" },
  "max-concurrent-streams": { kind: "uint" },
  "grpc-keepalive-min-time": { kind: "duration" },
  "grpc-keepalive-interval": { kind: "duration" },
  "grpc-keepalive-timeout": { kind: "duration" },
  "discovery-srv": { kind: "string" },
  "discovery-srv-name": { kind: "string" },

  "memory-mlock": off,
  "enable-pprof": off,
  "enable-distributed-tracing": off,
  discovery: absent(),
  "discovery-proxy": absent(),
  "discovery-token": absent(),
  "discovery-endpoints": absent(),
  "discovery-cert": absent(),
  "discovery-key": absent(),
  "discovery-cacert": absent(),
  "discovery-user": absent(),
  "discovery-password": absent(),
};

/** Flags that were renamed; the old name means the same until 3.7. */
export const renamedFlags: readonly string[] = [
  "compact-hash-check-time",
  "corrupt-check-time",
  "compaction-batch-limit",
  "watch-progress-notify-interval",
  "warning-apply-duration",
  "bootstrap-defrag-threshold-megabytes",
  "memory-mlock",
  "snapshot-catchup-entries",
  "compaction-sleep-interval",
  "downgrade-check-time",
  "peer-skip-client-san-verification",
  "enable-distributed-tracing",
  "distributed-tracing-address",
  "distributed-tracing-service-name",
  "distributed-tracing-instance-id",
  "distributed-tracing-sampling-rate",
  "warning-unary-request-duration",
];

/** Flags that became feature gates. */
export const gateFlags: Readonly<Record<string, string>> = {
  "experimental-stop-grpc-service-on-defrag": "StopGRPCServiceOnDefrag",
  "experimental-initial-corrupt-check": "InitialCorruptCheck",
  "experimental-compact-hash-check-enabled": "CompactHashCheck",
  "experimental-txn-mode-write-with-shared-buffer": "TxnModeWriteWithSharedBuffer",
  "experimental-enable-lease-checkpoint": "LeaseCheckpoint",
  "experimental-enable-lease-checkpoint-persist": "LeaseCheckpointPersist",
};

/** `etcd-lite snapshot status`; other formats are no values. */
export const statusFlags: FlagFacts = {
  "write-out": { kind: "choice", only: ["simple", "json"] },
};

/** `etcd-lite snapshot restore`; etcdutl's names. */
export const restoreFlags: FlagFacts = {
  name: { kind: "string" },
  "data-dir": { kind: "string" },
  "initial-cluster": { kind: "string" },
  "initial-cluster-token": { kind: "string" },
  "initial-advertise-peer-urls": { kind: "urls" },
  "skip-hash-check": { kind: "bool" },
  "bump-revision": { kind: "uint" },
  "mark-compacted": { kind: "bool" },
};
