/**
 * GET of one object and of a list, from the watch cache.
 *
 * Freshness  resourceVersion absent: as fresh as etcd; "0": whatever is here; N: at least N
 *            (Exact: precisely N, from etcd's past unless nothing changed since)
 * Errors     404, 410 for a continue token or revision that etcd has compacted, 504 for the future
 * Source     apiserver pkg/storage/cacher/{cacher,delegator}.go, pkg/storage/etcd3/store.go
 *            (GetList)
 */
import { badRequest, expired, notFound, timeout } from "@nanokube/machinery";
import { formatContinue, parseContinue } from "../cache/continue-token.ts";
import type { ListRest } from "../cache/kept-lists.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { objectKey } from "../storage/keys.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { groupResourceOf, namespaceOf } from "./context.ts";
import type { ListMeta } from "./list-body.ts";
import {
  checkFieldSelector,
  type KnownFields,
  type ListOptions,
  parseListOptions,
  predicateOf,
  revisionOf,
  versionToWatch,
} from "./list-options.ts";
import { type Reading, readAll, readOne } from "./reading.ts";
import { respondWithItems, respondWithList, respondWithStored } from "./respond.ts";

const futureWaitMs = 3_000;
const pastPageSize = 500;

export async function get(context: RestContext): Promise<ApiResponse> {
  return respondWithStored(context, 200, await findObject(context));
}

/** The object the URL names, fresh enough for the caller. */
export async function findObject(context: RestContext): Promise<StoredObject> {
  const { resource, info, request } = context;
  const version = request.query.get("resourceVersion") ?? "";
  // Upstream keeps no events in memory: there it is the store that reads the version.
  const isKept = info.resource !== "events";
  if (isKept && !/^\d*$/.test(version)) versionToWatch(version);
  await reach(context, version);
  const key = objectKey(resource.info.namespaced, namespaceOf(context), info.name);
  const object = resource.cache.get(key);
  if (object === undefined) throw notFound(groupResourceOf(context), info.name);
  return readOne(resource, object);
}

/** Waits until the cache is as fresh as this resourceVersion demands. */
export async function reach(context: RestContext, version: string): Promise<void> {
  const { store } = context.server;
  if (version === "0") return;
  if (version === "") return catchUp(context);
  const revision = revisionOf(version);
  if (await store.waitFor(revision, futureWaitMs)) return;
  // Of events upstream keeps no copy that could catch up.
  const retrySeconds = context.resource.info.plural === "events" ? 0 : 1;
  throw tooNew(revision, store.revision, retrySeconds);
}

async function catchUp({ resource, server: { store, clock } }: RestContext): Promise<void> {
  const { freshReads, waitSeconds } = resource.cache.counts;
  const beganMs = clock.monotonic();
  try {
    await store.catchUp();
    freshReads.succeeded++;
  } catch (error) {
    freshReads.failed++;
    throw error;
  } finally {
    waitSeconds.observe((clock.monotonic() - beganMs) / 1000);
  }
}

export function tooNew(revision: number, current: number, retrySeconds = 1): Error {
  const what = `Too large resource version: ${revision}, current: ${current}`;
  const error = timeout(what, retrySeconds);
  const { details } = error.status;
  if (details !== undefined) {
    details.causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  }
  return error;
}

export async function list(context: RestContext): Promise<ApiResponse> {
  const options = parseListOptions(context.request.query, false);
  const known = knownFields(context);
  checkFieldSelector(options, known, fieldLabels(context));
  const keepAs = nameToKeep(context, options);
  if (keepAs === undefined) {
    const { objects, meta } = await listObjects(context, options);
    return respondWithList(context, objects, meta);
  }
  await reach(context, options.resourceVersion);
  const { revision } = context.server.store;
  const prefix = prefixOf(context, options);
  const { lists, changedAt } = context.resource.cache;
  const kept = lists.get(keepAs);
  if (kept !== undefined) {
    context.resource.cache.counts.fromCache.add(kept.count, kept.count);
    return respondWithItems(context, kept, metaOf({ prefix, revision }, kept.rest));
  }
  const matches = predicateOf(options);
  const page = { options, prefix, matches, start: "", revision };
  const { objects, meta, rest } = await fromCache(context, page);
  return respondWithList(context, objects, meta, { as: keepAs, rest, changedAt });
}

/** What a list from the cache is kept under; undefined for later pages, the past and other forms. */
function nameToKeep(context: RestContext, options: ListOptions): string | undefined {
  const { output, resource, request } = context;
  // How a custom resource is shown can change without a change of it.
  if (resource.custom !== undefined) return undefined;
  if (output.as !== "" || output.pretty || output.format === "yaml") return undefined;
  const { limit, continueToken, resourceVersionMatch } = options;
  if (continueToken !== "" || resourceVersionMatch === "Exact") return undefined;
  const selectors = ["labelSelector", "fieldSelector"].map((name) => request.query.get(name) ?? "");
  const form = [output.format, resource.apiVersion, prefixOf(context, options), limit];
  return JSON.stringify([...form, ...selectors]);
}

function prefixOf(context: RestContext, options: ListOptions): string {
  const namespace = namespaceOf(context) || selectedNamespace(context, options);
  return context.resource.info.namespaced && namespace !== "" ? `${namespace}/` : "";
}

export function fieldLabels({
  resource,
}: Pick<RestContext, "resource">): Readonly<Record<string, string>> | undefined {
  return resource.strategy.fieldLabels?.(resource.apiVersion);
}

/** Whether a field selector may name this field of the kind. */
export function knownFields({ resource }: RestContext): KnownFields | undefined {
  const { selectableFields, unknownField } = resource.strategy;
  if (selectableFields === undefined) return undefined;
  const { namespaced } = resource.info;
  const names = new Set(
    Object.keys(
      fieldLabels({ resource }) ??
        selectableFields({ apiVersion: resource.apiVersion, kind: resource.info.kind }),
    ),
  );
  return {
    has: (field) => names.has(field),
    hasNamespace: namespaced,
    refusal: (field) =>
      unknownField?.(field, resource.apiVersion) ?? `field label not supported: ${field}`,
  };
}

export interface Listed {
  objects: StoredObject[];
  meta: ListMeta;
  /** Of a page from the cache. */
  rest?: ListRest | undefined;
}

export async function listObjects(context: RestContext, options: ListOptions): Promise<Listed> {
  const matches = predicateOf(options);
  const prefix = prefixOf(context, options);
  if (options.continueToken !== "") {
    return continueList(context, options, prefix, matches);
  }
  const { store } = context.server;
  if (options.resourceVersionMatch === "Exact") {
    const revision = revisionOf(options.resourceVersion);
    if (revision > store.revision) await reach(context, options.resourceVersion);
    return listAtRevision(context, { options, prefix, matches, start: "", revision });
  }
  await reach(context, options.resourceVersion);
  return fromCache(context, { options, prefix, matches, start: "", revision: store.revision });
}

function selectedNamespace(context: RestContext, { fieldSelector }: ListOptions): string {
  if (!context.resource.info.namespaced) return "";
  const exact = fieldSelector?.requirements.find(
    (r) => r.field === "metadata.namespace" && r.operator !== "!=",
  );
  return exact?.value ?? "";
}

interface PageRequest {
  options: ListOptions;
  prefix: string;
  matches: ((object: StoredObject) => boolean) | undefined;
  start: string;
  revision: number;
}

async function continueList(
  context: RestContext,
  options: ListOptions,
  prefix: string,
  matches: ((object: StoredObject) => boolean) | undefined,
): Promise<Listed> {
  if (options.resourceVersion !== "" && options.resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  const token = parseContinue(options.continueToken);
  const start = prefix + token.start;
  const { store } = context.server;
  if (token.revision < 0) {
    await store.catchUp();
    return fromCache(context, { options, prefix, matches, start, revision: store.revision });
  }
  try {
    const { revision } = token;
    if (revision > store.revision) await reach(context, String(revision));
    return await listAtRevision(context, { options, prefix, matches, start, revision });
  } catch (error) {
    if (!(error instanceof Error) || !("reason" in error) || error.reason !== "Expired")
      throw error;
    throw tokenExpired(token.start);
  }
}

/** The answer to a token whose past is compacted offers one that goes on in the present. */
function tokenExpired(start: string): Error {
  const error = expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  error.status.metadata = { continue: formatContinue({ revision: -1, start }) };
  return error;
}

async function listAtRevision(context: RestContext, page: PageRequest): Promise<Listed> {
  const { cache } = context.resource;
  const { store } = context.server;
  // What etcd has forgotten is not told from the cache either: clients count on hearing so.
  const isKnown = store.compacted <= page.revision && page.revision <= store.revision;
  if (cache.changedAt <= page.revision && isKnown) return fromCache(context, page);
  const objects: StoredObject[] = [];
  const { fromStore } = cache.counts;
  const { limit } = page.options;
  let start = page.start;
  for (;;) {
    const size = limit > 0 && page.matches === undefined ? limit : pastPageSize;
    const past = await store.listAt(cache, page.prefix, start, size, page.revision);
    fromStore.fetched += past.objects.length;
    fromStore.evaluated += past.objects.length;
    const shown = await readAll(context.resource, past.objects);
    for (const [index, object] of shown.entries()) {
      if (page.matches !== undefined && !page.matches(object)) continue;
      objects.push(object);
      const remaining = past.objects.length - index - 1 + past.remaining;
      if (limit > 0 && objects.length === limit && remaining > 0) {
        fromStore.add(0, objects.length);
        const counted = page.matches === undefined ? remaining : undefined;
        return { objects, meta: metaOf(page, { last: object.key, remaining: counted }) };
      }
    }
    const last = past.objects.at(-1);
    if (past.remaining === 0 || last === undefined) break;
    start = `${last.key}\0`;
  }
  fromStore.add(0, objects.length);
  return { objects, meta: metaOf(page, undefined) };
}

/** As many as a page shows; what comes behind it is not read, only that it is there. */
async function read(
  reading: Reading,
  stored: readonly StoredObject[],
  { matches, options: { limit } }: PageRequest,
): Promise<readonly StoredObject[]> {
  if (limit <= 0) return reading.all(stored);
  const shown: StoredObject[] = [];
  let found = 0;
  while (found < limit && shown.length < stored.length) {
    const portion = stored.slice(shown.length, shown.length + limit - found);
    const part = await reading.all(portion);
    shown.push(...part);
    found += matches === undefined ? part.length : part.filter(matches).length;
  }
  return [...shown, ...stored.slice(shown.length, shown.length + 1)];
}

async function fromCache(context: RestContext, page: PageRequest): Promise<Listed> {
  const { cache, reading } = context.resource;
  const { limit } = page.options;
  const objects: StoredObject[] = [];
  let rest: ListRest | undefined;
  let fetched = 0;
  const scanned = cache.scan(page.prefix, page.start);
  for (const object of reading === undefined ? scanned : await read(reading, [...scanned], page)) {
    if (limit > 0 && objects.length === limit) {
      const last = objects.at(-1)!.key;
      // With a selector nobody counts the rest; one more key is enough to go on.
      const isCounted = page.matches === undefined;
      rest = { last, remaining: isCounted ? cache.count(page.prefix, object.key) : undefined };
      break;
    }
    fetched++;
    if (page.matches === undefined || page.matches(object)) objects.push(object);
  }
  cache.counts.fromCache.add(fetched, objects.length);
  return { objects, meta: metaOf(page, rest), rest };
}

type Place = Pick<PageRequest, "prefix" | "revision">;

function metaOf({ prefix, revision }: Place, rest: ListRest | undefined): ListMeta {
  const meta: ListMeta = { resourceVersion: String(revision) };
  if (rest === undefined) return meta;
  meta.continue = formatContinue({ revision, start: `${rest.last.slice(prefix.length)}\0` });
  if (rest.remaining !== undefined) meta.remainingItemCount = rest.remaining;
  return meta;
}
