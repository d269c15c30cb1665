/**
 * Every flag that is known by name, for the server and for `snapshot restore`.
 *
 * Source  etcd v3.6 server/embed/config.go, server/etcdmain/{config,help}.go;
 *         etcdutl/etcdutl/snapshot_command.go
 */

export type FlagKind = "string" | "bool" | "uint" | "int" | "duration" | "urls" | "gates";

export interface FlagFact {
  readonly kind: FlagKind;
  /** Understood, and without a meaning for this server: accepted silently. */
  readonly ignored?: string;
  /** Only these values are possible here. */
  readonly only?: readonly string[];
}

export type FlagFacts = Readonly<Record<string, FlagFact>>;

const tuning = "there is no such part here to tune";

export const serverFlags: FlagFacts = {
  name: { kind: "string" },
  "data-dir": { kind: "string" },
  "config-file": { kind: "string" },
  "listen-client-urls": { kind: "urls" },
  "listen-client-http-urls": { kind: "urls" },
  "advertise-client-urls": { kind: "urls" },
  "listen-metrics-urls": { kind: "urls" },
  "listen-peer-urls": { kind: "urls" },
  "initial-advertise-peer-urls": { kind: "urls" },
  "initial-cluster": { kind: "string" },
  "initial-cluster-token": { kind: "string" },
  "initial-cluster-state": { kind: "string", only: ["new", "existing"] },
  "cert-file": { kind: "string" },
  "key-file": { kind: "string" },
  "trusted-ca-file": { kind: "string" },
  "client-cert-auth": { kind: "bool" },
  "client-crl-file": { kind: "string" },
  "auto-tls": { kind: "bool" },
  "self-signed-cert-validity": { kind: "uint" },
  "tls-min-version": { kind: "string", only: ["TLS1.2", "TLS1.3", ""] },
  "tls-max-version": { kind: "string", only: ["TLS1.2", "TLS1.3", ""] },
  "auth-token": { kind: "string" },
  "auth-token-ttl": { kind: "uint" },
  "bcrypt-cost": { kind: "uint" },
  cors: { kind: "string" },
  "host-whitelist": { kind: "string" },
  "enable-grpc-gateway": { kind: "bool" },
  "log-level": { kind: "string" },
  logger: { kind: "string", only: ["zap"] },
  "log-outputs": { kind: "string", only: ["default", "stderr", "stdout"] },
  "log-format": { kind: "string", only: ["json"] },
  "quota-backend-bytes": { kind: "int" },
  "max-txn-ops": { kind: "uint" },
  "max-request-bytes": { kind: "uint" },
  "auto-compaction-mode": { kind: "string", only: ["periodic", "revision"] },
  "auto-compaction-retention": { kind: "string" },
  "unsafe-no-fsync": { kind: "bool" },
  "watch-progress-notify-interval": { kind: "duration" },
  "experimental-watch-progress-notify-interval": { kind: "duration" },
  "snapshot-count": { kind: "uint" },
  "max-snapshots": { kind: "uint", ignored: tuning },
  "max-wals": { kind: "uint", ignored: tuning },
  "heartbeat-interval": { kind: "uint" },
  "election-timeout": { kind: "uint" },
  "initial-election-tick-advance": { kind: "bool", ignored: tuning },
  "pre-vote": { kind: "bool" },
  "strict-reconfig-check": { kind: "bool" },
  "peer-cert-file": { kind: "string" },
  "peer-key-file": { kind: "string" },
  "peer-trusted-ca-file": { kind: "string" },
  "peer-client-cert-auth": { kind: "bool" },
  "backend-batch-interval": { kind: "duration", ignored: tuning },
  "backend-batch-limit": { kind: "int", ignored: tuning },
  "backend-bbolt-freelist-type": { kind: "string", ignored: tuning },
  "compaction-batch-limit": { kind: "int", ignored: tuning },
  "compaction-sleep-interval": { kind: "duration", ignored: tuning },
  "warning-apply-duration": { kind: "duration", ignored: tuning },
  "warning-unary-request-duration": { kind: "duration", ignored: tuning },
  "feature-gates": { kind: "gates" },
  metrics: { kind: "string", only: ["basic"] },
  version: { kind: "bool" },
  help: { kind: "bool" },
};

/** etcd's flags that ask for something this server does not have. */
export const leftOutFlags: ReadonlySet<string> = new Set(
  `wal-dir force-new-cluster peer-auto-tls discovery discovery-srv discovery-token
  discovery-endpoints peer-crl-file client-cert-allowed-hostname peer-cert-allowed-cn
  peer-cert-allowed-hostname cipher-suites enable-log-rotation log-rotation-config-json
  enable-pprof enable-distributed-tracing distributed-tracing-address
  distributed-tracing-service-name distributed-tracing-instance-id
  distributed-tracing-sampling-rate memory-mlock max-learners socket-reuse-port
  socket-reuse-address max-concurrent-streams grpc-keepalive-min-time grpc-keepalive-interval
  grpc-keepalive-timeout corrupt-check-time compact-hash-check-time
  bootstrap-defrag-threshold-megabytes client-cert-file client-key-file snapshot-catchup-entries
  downgrade-check-time raft-read-timeout raft-write-timeout local-address`.split(/\s+/),
);

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

/** What --feature-gates can name; those that are on here however the gate is set say why. */
export const featureGates: ReadonlySet<string> = new Set([
  "AllAlpha",
  "AllBeta",
  "StopGRPCServiceOnDefrag",
  "InitialCorruptCheck",
  "CompactHashCheck",
  "TxnModeWriteWithSharedBuffer",
  "LeaseCheckpoint",
  "LeaseCheckpointPersist",
  "SetMemberLocalAddr",
]);
