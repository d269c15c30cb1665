/**
 * ControllerRevisions: every pod template that a StatefulSet or DaemonSet had, numbered, so that it
 * can go back to one.
 *
 * Shapes  data  {"spec":{"template":{…,"$patch":"replace"}}}: a strategic merge patch, which
 *               kubectl rollout undo applies
 * Source  pkg/controller/history/controller_history.go
 */
import type { ControllerRevision } from "@nanokube/api/apps/v1";
import type { PodTemplateSpec } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import {
  type ApiObject,
  controllerRevisions,
  isAlreadyExists,
  type ResourceRef,
} from "@nanokube/client";
import type { Caches } from "../controller.ts";
import { canonical, templateHash } from "../deployment/template-hash.ts";
import { candidates, claim, controllerReference, selectorFor } from "../ownership.ts";
import { attempt, read, remove, type Steps, update } from "../steps.ts";
import { parseTime } from "../time.ts";

export const revisionLabel = "controller-revision-hash";
const hashLabel = "controller.kubernetes.io/hash";
const nameMax = 223;

interface Templated extends ApiObject {
  spec?: { template?: PodTemplateSpec; selector?: LabelSelector };
}

export function* claimRevisions(
  owner: Templated,
  ownerResource: ResourceRef,
  caches: Caches,
): Steps<ControllerRevision[]> {
  const claimed = yield* claim({
    owner,
    ownerResource,
    resource: controllerRevisions,
    selector: selectorFor(owner.spec?.selector),
    objects: candidates(caches.of(controllerRevisions), owner),
  });
  return claimed.sort(byRevision);
}

/** Oldest first. */
function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  return (
    (a.revision ?? 0) - (b.revision ?? 0) ||
    parseTime(a.metadata?.creationTimestamp) - parseTime(b.metadata?.creationTimestamp) ||
    ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1)
  );
}

export interface UpdateRevision {
  revision: ControllerRevision;
  collisionCount: number;
}

/**
 * The revision of the template as it is: the last one, an older one made the last again, or a new
 * one.
 */
export function* updateRevision(
  owner: Templated,
  ownerResource: ResourceRef,
  revisions: ControllerRevision[],
  collisionCount: number,
  labelOf: (hash: string) => Record<string, string> = (hash) => ({ [hashLabel]: hash }),
): Steps<UpdateRevision> {
  const data = revisionData(owner.spec?.template ?? {});
  const equal = revisions.filter((revision) => sameData(revision.data, data)).at(-1);
  const last = revisions.at(-1);
  if (equal !== undefined && equal === last) return { revision: equal, collisionCount };
  const number = (last?.revision ?? 0) + 1;
  if (equal !== undefined) {
    const next = yield* update(controllerRevisions, { ...equal, revision: number });
    revisions.splice(revisions.indexOf(equal), 1);
    revisions.push(next);
    return { revision: next, collisionCount };
  }
  const created = yield* createRevision({
    owner,
    ownerResource,
    data,
    number,
    collisionCount,
    labelOf,
  });
  revisions.push(created.revision);
  return created;
}

interface NewRevision {
  owner: Templated;
  ownerResource: ResourceRef;
  data: Record<string, unknown>;
  number: number;
  collisionCount: number;
  labelOf(hash: string): Record<string, string>;
}

function* createRevision(wanted: NewRevision): Steps<UpdateRevision> {
  const { owner, ownerResource, data, number } = wanted;
  const { namespace = "", name = "", annotations } = owner.metadata ?? {};
  for (let { collisionCount } = wanted; ; collisionCount++) {
    const hash = templateHash(data, collisionCount);
    const object: ControllerRevision = {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name: `${name.slice(0, nameMax)}-${hash}`,
        namespace,
        labels: { ...owner.spec?.template?.metadata?.labels, ...wanted.labelOf(hash) },
        ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
        ownerReferences: [controllerReference(owner, ownerResource)],
      },
      data,
      revision: number,
    };
    const made = yield* attempt({ do: "create", resource: controllerRevisions, object });
    if (made.error === undefined)
      return { revision: made.object as ControllerRevision, collisionCount };
    if (!isAlreadyExists(made.error)) throw made.error;
    const there = yield* read(controllerRevisions, namespace, object.metadata?.name ?? "");
    if (there !== undefined && sameData(there.data, data))
      return { revision: there, collisionCount };
  }
}

/** Sorted by key: upstream knows a template again by the bytes that Go writes for it. */
function revisionData(template: PodTemplateSpec): Record<string, unknown> {
  return JSON.parse(canonical({ spec: { template: { ...template, $patch: "replace" } } }));
}

function sameData(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** The template as it was at a revision. */
export function templateAt(revision: ControllerRevision): PodTemplateSpec {
  const { spec } = (revision.data ?? {}) as {
    spec?: { template?: PodTemplateSpec & { $patch?: string } };
  };
  const { $patch: _, ...template } = spec?.template ?? {};
  return template;
}

/**
 * Revisions that no pod has and that are neither current nor wanted, beyond the limit: the oldest
 * go.
 */
export function* truncateHistory(
  revisions: readonly ControllerRevision[],
  live: ReadonlySet<string>,
  limit: number,
): Steps {
  const unused = revisions.filter((revision) => !live.has(revision.metadata?.name ?? ""));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    yield* remove(controllerRevisions, revision);
  }
}
