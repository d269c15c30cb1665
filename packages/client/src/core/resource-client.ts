/**
 * One resource: get, list, watch, create, update, patch, apply, delete, subresources.
 *
 * Without `.namespace(ns)` a namespaced resource is listed and watched in all namespaces; to write,
 * `create` takes the namespace from the object, and the others need `.namespace(ns)`.
 *
 * Errors  StatusError; a watch throws it from its iterator when the server sends an ERROR event
 *         (410 Expired …)
 * Source  client-go dynamic/simple.go
 */
import type { DeleteOptions, ListMeta, Status } from "@nanokube/api/meta/v1";
import type { Client } from "./client.ts";
import { type Location, type Query, resourcePath } from "./resource-path.ts";
import { type ApiObject, apiVersionOf, type ResourceRef } from "./resource-ref.ts";
import { type WatchEvent, watchEvents } from "./watch-stream.ts";

export interface KubeList<T extends ApiObject = ApiObject> {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: T[];
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface ListOptions extends CallOptions {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
  timeoutSeconds?: number | undefined;
}

export interface WatchOptions extends ListOptions {
  allowWatchBookmarks?: boolean | undefined;
  sendInitialEvents?: boolean | undefined;
}

export interface WriteOptions extends CallOptions {
  subresource?: string | undefined;
  fieldManager?: string | undefined;
  fieldValidation?: "Strict" | "Warn" | "Ignore" | undefined;
  dryRun?: boolean | undefined;
}

export type PatchType = "strategic" | "merge" | "json" | "apply";

export interface PatchOptions extends WriteOptions {
  /** "strategic" unless told. */
  type?: PatchType | undefined;
  force?: boolean | undefined;
}

export interface DeleteCallOptions extends CallOptions {
  propagationPolicy?: "Foreground" | "Background" | "Orphan" | undefined;
  gracePeriodSeconds?: number | undefined;
  preconditions?: { uid?: string | undefined; resourceVersion?: string | undefined } | undefined;
  dryRun?: boolean | undefined;
}

export interface ResourceClient<T extends ApiObject = ApiObject> {
  readonly ref: ResourceRef<T>;
  namespace(namespace: string): ResourceClient<T>;
  get(name: string, options?: CallOptions & { resourceVersion?: string | undefined }): Promise<T>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  /** All pages, `limit` objects each. */
  listAll(options?: ListOptions): Promise<KubeList<T>>;
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create(object: T, options?: WriteOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  patch(name: string, body: unknown, options?: PatchOptions): Promise<T>;
  /** Server-side apply. */
  apply(object: T, options: PatchOptions & { fieldManager: string }): Promise<T>;
  delete(name: string, options?: DeleteCallOptions): Promise<T | Status>;
  deleteCollection(options?: DeleteCallOptions & ListOptions): Promise<Status>;
  getSubresource<S = unknown>(
    name: string,
    subresource: string,
    options?: CallOptions & { query?: Query },
  ): Promise<S>;
  createSubresource<S = unknown>(
    name: string,
    subresource: string,
    body: unknown,
    options?: WriteOptions,
  ): Promise<S>;
  updateSubresource<S = unknown>(
    name: string,
    subresource: string,
    body: unknown,
    options?: WriteOptions,
  ): Promise<S>;
}

const patchTypes: Readonly<Record<PatchType, string>> = {
  strategic: "application/strategic-merge-patch+json",
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

const listLimit = 500;

export function createResourceClient<T extends ApiObject>(
  client: Client,
  ref: ResourceRef<T>,
  namespace?: string,
): ResourceClient<T> {
  const path = (at: Location) => resourcePath(ref, { namespace, ...at });
  const patch = (name: string, body: unknown, options: PatchOptions = {}) => {
    const { type = "strategic", subresource, force, signal } = options;
    return client.requestJSON<T>({
      method: "PATCH",
      path: path({ name, subresource }),
      query: { ...writeQuery(options), force },
      body,
      contentType: patchTypes[type],
      signal,
    });
  };
  const write = <S>(method: string, at: Location, body: unknown, options: WriteOptions = {}) =>
    client.requestJSON<S>({
      method,
      path: path({ subresource: options.subresource, ...at }),
      query: writeQuery(options),
      body,
      signal: options.signal,
    });
  const list = async (options: ListOptions = {}) => {
    const { signal, ...query } = options;
    const found = await client.requestJSON<KubeList<T>>({
      method: "GET",
      path: path({}),
      query,
      signal,
    });
    return named(found, ref);
  };
  /** Where the object itself says it lives: one client writes into many namespaces. */
  const home = (object: T): Location => ({
    namespace: namespace ?? object.metadata?.namespace ?? (ref.namespaced ? "default" : undefined),
  });
  const spot = (object: T): Location => ({ ...home(object), name: object.metadata?.name ?? "" });

  return {
    ref,
    namespace: (ns) => createResourceClient(client, ref, ns),
    get: (name, options = {}) =>
      client.requestJSON<T>({
        method: "GET",
        path: path({ name }),
        query: { resourceVersion: options.resourceVersion },
        signal: options.signal,
      }),
    list,
    listAll: async (options = {}) => {
      const first = await list({ limit: listLimit, ...options });
      let page = first;
      while (page.metadata.continue) {
        // A continued list is of the first page's version: the server refuses a version beside
        // the token.
        const { resourceVersion: _, resourceVersionMatch: __, ...rest } = options;
        page = await list({ limit: listLimit, ...rest, continue: page.metadata.continue });
        for (const item of page.items) first.items.push(item);
      }
      return { ...first, metadata: { ...page.metadata } };
    },
    watch: (options = {}) => watch<T>(client, path({}), options),
    create: (object, options) => write<T>("POST", home(object), typed(object, ref), options),
    update: (object, options) => write<T>("PUT", spot(object), typed(object, ref), options),
    updateStatus: (object, options) =>
      write<T>("PUT", spot(object), typed(object, ref), { ...options, subresource: "status" }),
    patch,
    apply: (object, options) =>
      client.requestJSON<T>({
        method: "PATCH",
        path: path({ ...spot(object), subresource: options.subresource }),
        query: { ...writeQuery(options), force: options.force },
        body: typed(object, ref),
        contentType: patchTypes.apply,
        signal: options.signal,
      }),
    delete: (name, options = {}) =>
      client.requestJSON<T | Status>({
        method: "DELETE",
        path: path({ name }),
        body: deleteBody(options),
        signal: options.signal,
      }),
    deleteCollection: (options = {}) =>
      client.requestJSON<Status>({
        method: "DELETE",
        path: path({}),
        query: {
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
          limit: options.limit,
          continue: options.continue,
          resourceVersion: options.resourceVersion,
        },
        body: deleteBody(options),
        signal: options.signal,
      }),
    getSubresource: <S>(
      name: string,
      subresource: string,
      options: CallOptions & { query?: Query } = {},
    ) =>
      client.requestJSON<S>({
        method: "GET",
        path: path({ name, subresource }),
        query: options.query,
        signal: options.signal,
      }),
    createSubresource: <S>(
      name: string,
      subresource: string,
      body: unknown,
      options?: WriteOptions,
    ) => write<S>("POST", { name }, body, { ...options, subresource }),
    updateSubresource: <S>(
      name: string,
      subresource: string,
      body: unknown,
      options?: WriteOptions,
    ) => write<S>("PUT", { name }, body, { ...options, subresource }),
  };
}

function writeQuery(options: WriteOptions): Query {
  return {
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    dryRun: options.dryRun === true ? "All" : undefined,
  };
}

function deleteBody(options: DeleteCallOptions): DeleteOptions {
  const { propagationPolicy, gracePeriodSeconds, preconditions, dryRun } = options;
  return {
    apiVersion: "v1",
    kind: "DeleteOptions",
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
  } as DeleteOptions;
}

/** What is sent says what it is, even if it came out of a list, whose items don't. */
function typed<T extends ApiObject>(object: T, ref: ResourceRef<T>): T {
  if (object.apiVersion !== undefined && object.kind !== undefined) return object;
  return {
    apiVersion: apiVersionOf(ref),
    ...(ref.kind === undefined ? {} : { kind: ref.kind }),
    ...object,
  };
}

/**
 * Built-in lists leave kind and apiVersion out of their items; callers want them
 * (owner references, events).
 */
function named<T extends ApiObject>(list: KubeList<T>, ref: ResourceRef<T>): KubeList<T> {
  const apiVersion = list.apiVersion ?? apiVersionOf(ref);
  const kind = list.kind?.replace(/List$/, "") ?? ref.kind;
  list.items ??= [];
  for (const item of list.items) {
    item.apiVersion ??= apiVersion;
    if (kind !== undefined) item.kind ??= kind;
  }
  return list;
}

async function* watch<T extends ApiObject>(
  client: Client,
  path: string,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, ...query } = options;
  const leave = new AbortController();
  const both = signal === undefined ? leave.signal : AbortSignal.any([signal, leave.signal]);
  try {
    const response = await client.request({
      method: "GET",
      path,
      query: { ...query, watch: true },
      signal: both,
    });
    yield* watchEvents<T>(response.body);
  } finally {
    leave.abort();
  }
}
