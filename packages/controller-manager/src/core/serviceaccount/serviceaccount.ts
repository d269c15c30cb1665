/**
 * ServiceAccount: every living namespace has one named "default".
 *
 * Source  pkg/controller/serviceaccount/serviceaccounts_controller.go
 */
import { isAlreadyExists, isReason, namespaces, serviceAccounts } from "@nanokube/client";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { attempt, type Steps } from "../steps.ts";

export const defaultServiceAccount = "default";

export function createServiceAccountController(): Controller {
  return {
    name: "serviceaccount-controller",
    watches: [
      watchOwn(namespaces),
      watch(serviceAccounts, ({ metadata }) =>
        metadata?.name === defaultServiceAccount ? [metadata.namespace ?? ""] : [],
      ),
    ],
    reconcile: reconcileServiceAccount,
  };
}

export function* reconcileServiceAccount(
  name: string,
  { caches }: Context,
): Steps<number | undefined> {
  if (!isAlive(caches.of(namespaces).get("", name))) return undefined;
  if (caches.of(serviceAccounts).get(name, defaultServiceAccount) !== undefined) return undefined;
  const { error } = yield* attempt({
    do: "create",
    resource: serviceAccounts,
    object: {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { namespace: name, name: defaultServiceAccount },
    },
  });
  if (error !== undefined && !isAlreadyExists(error) && !isEnding(error)) throw error;
  return undefined;
}

export function isAlive(namespace: { status?: { phase?: string } } | undefined): boolean {
  return namespace !== undefined && namespace.status?.phase !== "Terminating";
}

/** The namespace began to go, or is gone, since the cache saw it. */
export function isEnding(error: Error): boolean {
  if (isReason(error, "NotFound")) return true;
  return isReason(error, "Forbidden") && error.message.includes("being terminated");
}
