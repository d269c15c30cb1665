/**
 * Who controls what: controller references, adoption of orphans, release of strangers.
 *
 * Source  pkg/controller/controller_ref_manager.go
 */
import type { LabelSelector, OwnerReference } from "@nanokube/api/meta/v1";
import {
  type ApiObject,
  apiVersionOf,
  type IndexFunc,
  isNotFound,
  isReason,
  type Lister,
  type ResourceRef,
} from "@nanokube/client";
import { labelSelectorToSelector, type Selector } from "@nanokube/machinery";
import { type Caches, type Watch, watch } from "./controller.ts";
import { attempt, read, type Steps } from "./steps.ts";

export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  return controllerOf(object)?.uid === owner.metadata?.uid;
}

export function controllerReference(owner: ApiObject, resource: ResourceRef): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind ?? owner.kind ?? "",
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Index "controller": by the owner's uid; what has none is found under "orphan/NAMESPACE". */
export const controllerIndex: Readonly<Record<string, IndexFunc<ApiObject>>> = {
  controller: (object) => {
    const uid = controllerOf(object)?.uid;
    return [uid ?? `orphan/${object.metadata?.namespace ?? ""}`];
  },
};

/** What the owner controls already. */
export function controlled<T extends ApiObject>(lister: Lister<T>, owner: ApiObject): T[] {
  return lister.byIndex("controller", owner.metadata?.uid ?? "");
}

/** What the owner controls, and what nobody does: the candidates of `claim`. */
export function candidates<T extends ApiObject>(lister: Lister<T>, owner: ApiObject): T[] {
  const orphans = lister.byIndex("controller", `orphan/${owner.metadata?.namespace ?? ""}`);
  return [...controlled(lister, owner), ...orphans];
}

/**
 * Watches the dependents of an owner: a change of one wakes its owner; an orphan wakes all that may
 * want to adopt it.
 */
export function watchDependents<T extends ApiObject, O extends ApiObject>(
  resource: ResourceRef<T>,
  owner: ResourceRef<O>,
  selectorOf: (owner: O) => LabelSelector | undefined,
): Watch {
  const adopters = (object: T, caches: Caches): string[] => {
    const { namespace = "", labels } = object.metadata ?? {};
    if (labels === undefined) return [];
    return caches
      .of(owner)
      .byNamespace(namespace)
      .filter((candidate) => selectorFor(selectorOf(candidate)).matches(labels))
      .map((candidate) => `${namespace}/${candidate.metadata?.name}`);
  };
  return watch<T>(
    resource,
    (object, caches) => {
      const reference = controllerOf(object);
      if (reference === undefined) return adopters(object, caches);
      const sameKind =
        reference.kind === owner.kind && groupOf(reference.apiVersion ?? "") === owner.group;
      if (!sameKind) return [];
      return [`${object.metadata?.namespace}/${reference.name}`];
    },
    controllerIndex as Readonly<Record<string, IndexFunc<T>>>,
  );
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

const selectors = new WeakMap<LabelSelector, Selector>();
const nothing: Selector = labelSelectorToSelector({
  matchExpressions: [
    { key: "nanokube.io/none", operator: "Exists" },
    { key: "nanokube.io/none", operator: "DoesNotExist" },
  ],
});

/**
 * Compiled once per object. An absent or empty selector selects nothing: no controller may own
 * everything.
 */
export function selectorFor(selector: LabelSelector | undefined): Selector {
  if (selector === undefined) return nothing;
  let made = selectors.get(selector);
  if (made === undefined) {
    made = labelSelectorToSelector(selector);
    if (made.empty()) made = nothing;
    selectors.set(selector, made);
  }
  return made;
}

export interface Claim<T extends ApiObject> {
  owner: ApiObject;
  ownerResource: ResourceRef;
  resource: ResourceRef<T>;
  selector: Selector;
  objects: readonly T[];
}

/**
 * Of the candidates, those that are the owner's: orphans that match are adopted, its own that match
 * no more are let go. Before the first adoption the owner is read from the server: one being
 * deleted, or another of its name, adopts nothing.
 */
export function* claim<T extends ApiObject>(options: Claim<T>): Steps<T[]> {
  const { owner, ownerResource, resource, selector, objects } = options;
  const claimed: T[] = [];
  let mayAdopt: boolean | undefined;
  for (const object of objects) {
    const reference = controllerOf(object);
    const matches = selector.matches(object.metadata?.labels);
    if (reference !== undefined) {
      if (reference.uid !== owner.metadata?.uid) continue;
      if (matches) claimed.push(object);
      else if (owner.metadata?.deletionTimestamp === undefined)
        yield* release(resource, object, owner);
      continue;
    }
    const goes = owner.metadata?.deletionTimestamp ?? object.metadata?.deletionTimestamp;
    if (!matches || goes !== undefined) continue;
    mayAdopt ??= yield* isStillThere(owner, ownerResource);
    if (!mayAdopt) continue;
    const adopted = yield* adopt(resource, object, controllerReference(owner, ownerResource));
    if (adopted !== undefined) claimed.push(adopted);
  }
  return claimed;
}

function* isStillThere(owner: ApiObject, resource: ResourceRef): Steps<boolean> {
  const { namespace = "", name = "", uid } = owner.metadata ?? {};
  const fresh = yield* read(resource, namespace, name);
  return fresh?.metadata?.uid === uid && fresh?.metadata?.deletionTimestamp === undefined;
}

function* adopt<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: T,
  reference: OwnerReference,
): Steps<T | undefined> {
  const { namespace = "", name = "", uid } = object.metadata ?? {};
  const { object: adopted, error } = yield* attempt({
    do: "patch",
    resource,
    namespace,
    name,
    type: "strategic",
    patch: { metadata: { ownerReferences: [reference], uid } },
  });
  if (isNotFound(error)) return undefined;
  if (error !== undefined) throw error;
  return adopted as T;
}

function* release(resource: ResourceRef, object: ApiObject, owner: ApiObject): Steps {
  const { namespace = "", name = "", uid } = object.metadata ?? {};
  const { error } = yield* attempt({
    do: "patch",
    resource,
    namespace,
    name,
    type: "strategic",
    patch: {
      metadata: { uid, ownerReferences: [{ $patch: "delete", uid: owner.metadata?.uid }] },
    },
  });
  // Gone, or another by now: nobody's in either case.
  if (error !== undefined && !isReason(error, "NotFound", "Invalid", "Conflict")) throw error;
}
