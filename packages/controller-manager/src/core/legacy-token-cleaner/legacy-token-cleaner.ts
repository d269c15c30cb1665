/**
 * Tokens in Secrets that were made for an account by older releases, and that nobody has used for
 * long: first they are marked as invalid, as long afterwards they are deleted. Once a day.
 *
 * A Secret that was made by hand, that a pod mounts, or of which it cannot be told when it was used
 * is left alone.
 *
 * Units   days as "2006-01-02", in UTC, compared as text
 * Source  pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go
 */
import type { Pod, Secret, ServiceAccount } from "@nanokube/api/core/v1";
import {
  configMaps,
  isConflict,
  isNotFound,
  pods,
  secrets,
  serviceAccounts,
} from "@nanokube/client";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import { attempt, deletion, read, type Steps } from "../steps.ts";
import { parseTime } from "../time.ts";
import { secretsOfPod } from "./secrets-of-pod.ts";

const dayMs = 24 * 3_600_000;
const everyMs = dayMs;
const yearMs = 365 * dayMs;
const type = "kubernetes.io/service-account-token";
const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";
const accountName = "kubernetes.io/service-account.name";
const accountUID = "kubernetes.io/service-account.uid";
const trackingMap = "kube-apiserver-legacy-service-account-token-tracking";

export function createLegacyTokenCleaner(periodMs = yearMs): Controller {
  return {
    name: "legacy-serviceaccount-token-cleaner-controller",
    workers: 1,
    watches: [watch(secrets, () => []), watch(serviceAccounts, () => []), watch(pods, () => [])],
    initialKeys: ["all"],
    reconcile: (_, context) => cleanUp(context, periodMs),
  };
}

export function* cleanUp({ caches, nowMs }: Context, periodMs: number): Steps<number> {
  // The day after the server began to write down who is used.
  const trackedSinceMs = (yield* trackedSince()) + dayMs;
  if (nowMs < trackedSinceMs + periodMs) return everyMs;
  const mounted = new Map<string, ReadonlySet<string>>();
  const mountedIn = (namespace: string): ReadonlySet<string> => {
    const names = mounted.get(namespace) ?? mountedBy(caches.of(pods).list(), namespace);
    mounted.set(namespace, names);
    return names;
  };
  const failures: Error[] = [];
  for (const secret of caches.of(secrets).list()) {
    const { namespace = "", name = "" } = secret.metadata ?? {};
    if (!isIdle(secret, nowMs - periodMs) || !isMadeFor(secret, caches)) continue;
    if (mountedIn(namespace).has(name)) continue;
    const error = yield* letGo(secret, nowMs, periodMs);
    if (error !== undefined) failures.push(error);
  }
  if (failures.length > 0) throw failures[0];
  return everyMs;
}

function* trackedSince(): Steps<number> {
  const map = yield* read(configMaps, "kube-system", trackingMap);
  const since = map?.data?.["since"];
  if (!isDay(since)) throw new Error(`error parsing trackedSince time: ${since ?? "absent"}`);
  return Date.parse(since);
}

function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && dayOf(ms) === text;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function isIdle(secret: Secret, beforeMs: number): boolean {
  const { creationTimestamp, deletionTimestamp, labels = {} } = secret.metadata ?? {};
  if (secret.type !== type || deletionTimestamp !== undefined) return false;
  if (!(parseTime(creationTimestamp) < beforeMs)) return false;
  const lastUsed = labels[lastUsedLabel];
  return lastUsed === undefined || (isDay(lastUsed) && lastUsed < dayOf(beforeMs));
}

/** Its account lists it: no account lists what was made by hand. */
function isMadeFor({ metadata = {} }: Secret, caches: Caches): boolean {
  const { namespace = "", name, annotations = {} } = metadata;
  const called = annotations[accountName] ?? "";
  if (called === "") return false;
  const account: ServiceAccount | undefined = caches.of(serviceAccounts).get(namespace, called);
  const uid = annotations[accountUID] ?? "";
  if (account === undefined || (uid !== "" && uid !== account.metadata?.uid)) return false;
  return account.secrets?.some((one) => one.name === name) ?? false;
}

function mountedBy(all: readonly Pod[], namespace: string): ReadonlySet<string> {
  const own = all.filter(({ metadata }) => metadata?.namespace === namespace);
  return new Set(own.flatMap((pod) => [...secretsOfPod(pod)]));
}

/** What went wrong, which keeps nothing from the other Secrets. */
function* letGo(secret: Secret, nowMs: number, periodMs: number): Steps<Error | undefined> {
  const { namespace = "", name = "", uid, resourceVersion } = secret.metadata ?? {};
  const since = secret.metadata?.labels?.[invalidSinceLabel];
  if (!isDay(since)) {
    const patch = { metadata: { uid, labels: { [invalidSinceLabel]: dayOf(nowMs) } } };
    const marking = {
      do: "patch",
      resource: secrets,
      namespace,
      name,
      patch,
      type: "merge",
    } as const;
    return (yield* attempt(marking)).error;
  }
  if (since >= dayOf(nowMs - periodMs)) return undefined;
  const { error } = yield* attempt(deletion(secrets, secret, { resourceVersion }));
  return isConflict(error) || isNotFound(error) ? undefined : error;
}
