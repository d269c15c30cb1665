/**
 * What /livez and /readyz look at.
 *
 * Source  apiserver pkg/server/{config,healthz}.go, pkg/server/genericapiserver.go
 */
import type { HealthCheck } from "../core/health.ts";
import type { Encryption } from "./encryption.ts";
import type { EtcdStore } from "./etcd-store.ts";

export interface ServerState {
  ready: boolean;
  /** It has been told to end. */
  stopping: boolean;
}

export function healthChecks(
  store: EtcdStore,
  etcd: () => Promise<string | undefined>,
  state: ServerState,
  encryption?: Encryption,
): HealthCheck[] {
  const kms = { name: "kms-providers", check: () => encryption?.health() };
  return [
    { name: "ping", check: () => undefined },
    { name: "log", check: () => undefined },
    { name: "etcd", check: etcd },
    ...(encryption?.hasHealth ? [kms] : []),
    { name: "etcd-readiness", check: etcd, readyOnly: true },
    {
      name: "informer-sync",
      check: () => (store.synced ? undefined : "not synced"),
      readyOnly: true,
    },
    {
      name: "poststarthook/rbac/bootstrap-roles",
      check: () => (state.ready ? undefined : "not finished"),
    },
    {
      name: "shutdown",
      check: () => (state.stopping ? "process is shutting down" : undefined),
      readyOnly: true,
    },
  ];
}
