/**
 * What a controller wants done, as values.
 *
 * A reconciler is a generator: it yields a batch of effects, is given their outcomes, goes on. It
 * never awaits and never touches a client, so that a test can play the server in a loop, and a run
 * can be replayed.
 *
 * Shapes  Effect    one write (or read past the cache, or event); effects of one batch are done at
 *                   the same time
 *         Outcome   of one effect: the object that the server keeps now, or the error that it
 *                   answered
 *         Steps<R>  the generator; R is what it comes back with
 * Errors  `create`, `update` … throw what the server answered: the key is tried again later.
 *         `attempt` gives it back.
 */
import type { PatchType, ResourceRef } from "@nanokube/client";
import { type ApiObject, isNotFound } from "@nanokube/client";

export type Effect = Write | Read | EventNote | Question | Follow;

export type Write =
  | { do: "create"; resource: ResourceRef; object: ApiObject; hop?: string }
  | { do: "update"; resource: ResourceRef; object: ApiObject; subresource?: string; hop?: string }
  | {
      do: "patch";
      resource: ResourceRef;
      namespace: string;
      name: string;
      patch: unknown;
      type: PatchType;
      subresource?: string;
      /** Of an apply, which is by force. */
      fieldManager?: string;
      hop?: string;
    }
  | {
      do: "delete";
      resource: ResourceRef;
      namespace: string;
      name: string;
      uid?: string | undefined;
      resourceVersion?: string | undefined;
      propagationPolicy?: "Foreground" | "Background" | "Orphan";
      gracePeriodSeconds?: number;
      hop?: string;
    }
  | { do: "deleteCollection"; resource: ResourceRef; namespace: string }
  | {
      do: "post";
      resource: ResourceRef;
      namespace: string;
      name: string;
      subresource: string;
      body: unknown;
    };

/** Past the cache: where acting on an old state would do harm. */
export type Read =
  | { do: "get"; resource: ResourceRef; namespace: string; name: string; subresource?: string }
  | { do: "list"; resource: ResourceRef; namespace: string; labelSelector?: string }
  | { do: "discover" };

export interface EventNote {
  do: "event";
  about: ApiObject;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
}

/**
 * To whoever the controller was given to ask: a CSI driver, a signer. The answer comes in `answer`.
 */
export interface Question {
  do: "ask";
  question: unknown;
}

/**
 * From now on the caches hold the metadata of these as well, and what comes or goes wakes the
 * keys that `followed` names. Done when they have been listed.
 */
export interface Follow {
  do: "follow";
  resources: readonly ResourceRef[];
}

export interface Outcome {
  /** A list's outcome has `items`; a discovery's has `resources`. */
  object?: ApiObject;
  items?: ApiObject[];
  resources?: DiscoveredResource[];
  answer?: unknown;
  error?: Error;
}

export interface DiscoveredResource extends ResourceRef {
  kind: string;
  verbs: readonly string[];
}

export type Steps<R = void> = Generator<readonly Effect[], R, readonly Outcome[]>;

/** All at the same time. */
export function* together(effects: readonly Effect[]): Steps<readonly Outcome[]> {
  if (effects.length === 0) return [];
  return yield effects;
}

export function* attempt(effect: Effect): Steps<Outcome> {
  const [outcome] = yield [effect];
  return outcome!;
}

function* must<T extends ApiObject>(effect: Effect): Steps<T> {
  const { object, error } = yield* attempt(effect);
  if (error !== undefined) throw error;
  return object as T;
}

export function create<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: T,
  hop?: string,
): Steps<T> {
  return must<T>({ do: "create", resource, object, ...(hop === undefined ? {} : { hop }) });
}

export function update<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: T,
  hop?: string,
): Steps<T> {
  return must<T>({ do: "update", resource, object, ...(hop === undefined ? {} : { hop }) });
}

export function updateStatus<T extends ApiObject>(resource: ResourceRef<T>, object: T): Steps<T> {
  return must<T>({ do: "update", resource, object, subresource: "status" });
}

/** By merge patch: only what is named changes. */
export function mergePatch<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: ApiObject,
  patch: unknown,
  subresource?: string,
): Steps<T> {
  const { namespace = "", name = "" } = object.metadata ?? {};
  return must<T>({
    do: "patch",
    resource,
    namespace,
    name,
    patch,
    type: "merge",
    ...(subresource === undefined ? {} : { subresource }),
  });
}

/**
 * Conditions merged into a status by their type, and whatever else of it is given. Without a
 * version: who writes other parts of the status at the same time is not in the way.
 */
export function patchStatus(
  resource: ResourceRef,
  object: ApiObject,
  status: object,
): Steps<Outcome> {
  const { namespace = "", name = "", uid } = object.metadata ?? {};
  return attempt({
    do: "patch",
    resource,
    namespace,
    name,
    type: "strategic",
    patch: { metadata: { uid }, status },
    subresource: "status",
  });
}

/** This very object, not another of its name. What is gone already is fine. */
export function* remove(
  resource: ResourceRef,
  object: ApiObject,
  options: Partial<Extract<Write, { do: "delete" }>> = {},
): Steps {
  const { error } = yield* attempt(deletion(resource, object, options));
  if (error !== undefined && !isNotFound(error)) throw error;
}

export function deletion(
  resource: ResourceRef,
  object: ApiObject,
  options: Partial<Extract<Write, { do: "delete" }>> = {},
): Extract<Write, { do: "delete" }> {
  const { namespace = "", name = "", uid } = object.metadata ?? {};
  return { ...options, do: "delete", resource, namespace, name, uid };
}

export function* read<T extends ApiObject>(
  resource: ResourceRef<T>,
  namespace: string,
  name: string,
): Steps<T | undefined> {
  const { object, error } = yield* attempt({ do: "get", resource, namespace, name });
  if (error === undefined) return object as T;
  if (isNotFound(error)) return undefined;
  throw error;
}

export function* note(
  about: ApiObject,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): Steps {
  yield [{ do: "event", about, type, reason, message }];
}

/**
 * Batches of 1, 2, 4 …, until one has a failure: a quota that is full is asked once, not a thousand
 * times.
 *
 * Source  pkg/controller/replicaset/replica_set.go slowStartBatch
 */
export function* slowStart(effects: readonly Effect[]): Steps<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let size = 1; outcomes.length < effects.length; size *= 2) {
    const batch = effects.slice(outcomes.length, outcomes.length + size);
    outcomes.push(...(yield batch));
    if (outcomes.some(({ error }) => error !== undefined)) break;
  }
  return outcomes;
}
