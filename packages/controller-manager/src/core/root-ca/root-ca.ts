/**
 * Root CA publisher: every living namespace has the ConfigMap kube-root-ca.crt, by which its pods
 * trust the API server.
 *
 * Source  pkg/controller/certificates/rootcacertpublisher/publisher.go
 */
import type { ConfigMap } from "@nanokube/api/core/v1";
import { configMaps, isAlreadyExists, namespaces } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { isAlive, isEnding } from "../serviceaccount/serviceaccount.ts";
import { attempt, type Steps, update } from "../steps.ts";

export const rootCAConfigMap = "kube-root-ca.crt";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

/** `rootCA` is PEM text. */
export function createRootCAController(rootCA: string): Controller {
  return {
    name: "root-ca-certificate-publisher-controller",
    watches: [
      watchOwn(namespaces),
      watch(configMaps, ({ metadata }) =>
        metadata?.name === rootCAConfigMap ? [metadata.namespace ?? ""] : [],
      ),
    ],
    reconcile: (key, context) => reconcileRootCA(key, context, rootCA),
  };
}

export function* reconcileRootCA(
  name: string,
  { caches }: Context,
  rootCA: string,
): Steps<number | undefined> {
  if (!isAlive(caches.of(namespaces).get("", name))) return undefined;
  const data = { "ca.crt": rootCA };
  const annotations = { "kubernetes.io/description": description };
  const there = caches.of(configMaps).get(name, rootCAConfigMap);
  if (there === undefined) {
    const object: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: rootCAConfigMap, namespace: name, annotations },
      data,
    };
    const { error } = yield* attempt({ do: "create", resource: configMaps, object });
    if (error !== undefined && !isAlreadyExists(error) && !isEnding(error)) throw error;
    return undefined;
  }
  const described = there.metadata?.annotations?.["kubernetes.io/description"] === description;
  if (described && deepEqual(there.data ?? {}, data)) return undefined;
  yield* update(configMaps, {
    ...there,
    metadata: {
      ...there.metadata,
      annotations: { ...there.metadata?.annotations, ...annotations },
    },
    data,
  });
  return undefined;
}
