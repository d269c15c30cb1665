/**
 * Where an object lives in etcd: upstream's keys, so that either server can take over the other's
 * data.
 *
 * Shapes  /registry/<prefix>/<namespace>/<name>, without the namespace for cluster-scoped kinds
 * Source  pkg/kubeapiserver/default_storage_factory_builder.go (SpecialDefaultResourcePrefixes),
 *         apiextensions-apiserver pkg/registry/customresource, kube-aggregator
 *         pkg/registry/apiservice
 */
import { resources } from "@nanokube/api";

export const usualPrefix = "/registry";

const special: Readonly<Record<string, string>> = {
  "/replicationcontrollers": "controllers",
  "/endpoints": "services/endpoints",
  "/nodes": "minions",
  "/services": "services/specs",
  "networking.k8s.io/ingresses": "ingress",
  "events.k8s.io/events": "events",
};

/** Groups whose servers are composed upstream and therefore put the group into the key. */
const composedGroups = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io"]);

/** "pods/", "apps.example.com/widgets/": relative to /registry/, always with the final slash. */
export function storagePrefix(group: string, plural: string, custom: boolean): string {
  const known = special[`${group}/${plural}`];
  if (known !== undefined) return `${known}/`;
  if (custom || composedGroups.has(group)) return `${group}/${plural}/`;
  return `${plural.toLowerCase()}/`;
}

/** The part of the key behind the resource's prefix; also the sort key of lists. */
export function objectKey(namespaced: boolean, namespace: string, name: string): string {
  return namespaced ? `${namespace}/${name}` : name;
}

/** Whose prefix is it? Resources that share one are told apart by nobody: the first is named. */
export function groupResourceOfPrefix(prefix: string): { group: string; plural: string } {
  builtInByPrefix ??= new Map(
    resources
      .toReversed()
      .map(({ group, plural }) => [storagePrefix(group, plural, false), { group, plural }]),
  );
  const known = builtInByPrefix.get(prefix);
  if (known !== undefined) return known;
  const [group = "", plural = ""] = prefix.split("/");
  return { group, plural };
}

let builtInByPrefix: Map<string, { group: string; plural: string }> | undefined;
