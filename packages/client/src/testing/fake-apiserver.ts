/**
 * An API server of the simplest kind, as a transport: keeps objects of any resource,
 * counts versions, serves watches. For tests of what talks to a server; it checks nothing
 * and defaults nothing.
 *
 * Serves  create (generateName), get, list (selectors, limit/continue), watch (from a version, 410
 *         once compacted), update, status, merge/strategic/JSON patch, delete with finalizers and
 *         preconditions, any other subresource by `handle`
 */

import { typeOf } from "@nanokube/api";
import {
  applyJSONPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  deepClone,
  type KubeObject,
  parseFieldSelector,
  parseLabelSelector,
} from "@nanokube/machinery";
import type { HttpRequest, HttpResponse, HttpTransport } from "../core/http.ts";

type Handler = (
  request: HttpRequest,
) => HttpResponse | undefined | Promise<HttpResponse | undefined>;

export interface FakeApiServer {
  transport: HttpTransport;
  /** Puts an object there as if another client had: "/api/v1/namespaces/default/pods". */
  put(collection: string, object: KubeObject): KubeObject;
  remove(collection: string, name: string): void;
  get(collection: string, name: string): KubeObject | undefined;
  /** All objects of a resource, over namespaces: "/api/v1/pods". */
  list(collection: string): KubeObject[];
  /** Ends all open watches, as a restart does. */
  dropWatches(): void;
  /** Forgets history: a watch from an older version gets 410. */
  compact(): void;
  /** Asked before everything; an answer is taken. */
  handle: Handler | undefined;
  readonly requests: { method: string; path: string; body: unknown }[];
  readonly openWatches: number;
}

interface Change {
  type: "ADDED" | "MODIFIED" | "DELETED";
  resource: string;
  object: KubeObject;
  version: number;
}

interface Target {
  /** Without the namespace: the same for a list over all namespaces. */
  resource: string;
  namespace: string;
  name: string | undefined;
  subresource: string | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function createFakeApiServer(): FakeApiServer {
  const server = new Store();
  const fake: FakeApiServer = {
    handle: undefined,
    requests: [],
    transport: async (request) => {
      request.signal?.throwIfAborted();
      const answer = await fake.handle?.(request);
      if (answer !== undefined) return answer;
      const body =
        request.body === undefined ? undefined : JSON.parse(decoder.decode(request.body));
      fake.requests.push({ method: request.method, path: request.path, body });
      return server.serve(request, body);
    },
    put: (collection, object) => server.put(collection, object),
    remove: (collection, name) => {
      const target = parseTarget(`${collection}/${name}`);
      server.remove(target, deepClone(server.find(target)!));
    },
    get: (collection, name) => server.find(parseTarget(`${collection}/${name}`)),
    list: (collection) => server.all(parseTarget(collection)),
    dropWatches: () => server.dropWatches(),
    compact: () => server.compact(),
    get openWatches() {
      return server.watches.size;
    },
  };
  return fake;
}

/** A JSON answer. */
export function answer(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): HttpResponse {
  const bytes = encoder.encode(JSON.stringify(value));
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: (async function* () {
      yield bytes;
    })(),
  };
}

/** A Status answer. */
export function refuse(code: number, reason: string, message: string): HttpResponse {
  const metadata = {};
  return answer(code, {
    kind: "Status",
    apiVersion: "v1",
    metadata,
    status: "Failure",
    message,
    reason,
    code,
  });
}

class Store {
  readonly watches = new Set<{ notify(): void; dropped: boolean }>();
  readonly #objects = new Map<string, KubeObject>();
  #changes: Change[] = [];
  #version = 1;
  #compacted = 0;
  #names = 0;

  serve(request: HttpRequest, body: unknown): HttpResponse {
    const url = new URL(request.path, "http://fake");
    const target = parseTarget(url.pathname);
    const query = url.searchParams;
    if (request.method === "GET") {
      if (target.name !== undefined) return this.#found(target);
      return query.get("watch") === "true"
        ? this.#watch(target, query, request.signal)
        : this.#list(target, query);
    }
    if (request.method === "POST") return this.#create(target, body as KubeObject);
    if (request.method === "DELETE") return this.#delete(target, body as DeleteBody | undefined);
    const old = this.find(target);
    if (old === undefined) return missing(target);
    if (request.method === "PUT") return this.#update(target, old, body as KubeObject);
    const type = request.headers["content-type"] ?? "";
    return this.#update(target, old, patched(old, body, type), type.includes("json-patch"));
  }

  put(collection: string, object: KubeObject): KubeObject {
    const target = parseTarget(`${collection}/${object.metadata?.name}`);
    const old = this.find(target);
    const namespace = target.namespace === "" ? {} : { namespace: target.namespace };
    const metadata = {
      uid: old?.metadata?.uid ?? `uid-${++this.#names}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...namespace,
      ...object.metadata,
    };
    return this.#store(target, { ...object, metadata }, old === undefined ? "ADDED" : "MODIFIED");
  }

  find(target: Target): KubeObject | undefined {
    return this.#objects.get(keyFor(target, target.name ?? ""));
  }

  all(target: Target): KubeObject[] {
    const prefix =
      target.namespace === "" ? `${target.resource}|` : `${target.resource}|${target.namespace}/`;
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  remove(target: Target, object: KubeObject): KubeObject {
    this.#objects.delete(keyFor(target, object.metadata?.name ?? ""));
    return this.#record(target, object, "DELETED");
  }

  dropWatches(): void {
    for (const watch of this.watches) {
      watch.dropped = true;
      watch.notify();
    }
  }

  compact(): void {
    this.#changes = [];
    this.#compacted = this.#version;
  }

  #found(target: Target): HttpResponse {
    const object = this.find(target);
    return object === undefined ? missing(target) : answer(200, object);
  }

  #list(target: Target, query: URLSearchParams): HttpResponse {
    const matches = matcher(query);
    const all = this.all(target).filter(matches);
    const from = Number(query.get("continue") ?? 0);
    const limit = Number(query.get("limit") ?? 0) || all.length;
    const items = all.slice(from, from + limit);
    const more = from + limit < all.length ? { continue: String(from + limit) } : {};
    return answer(200, {
      kind: "List",
      apiVersion: "v1",
      metadata: { resourceVersion: String(this.#version), ...more },
      items,
    });
  }

  #watch(target: Target, query: URLSearchParams, signal: AbortSignal | undefined): HttpResponse {
    const from = Number(query.get("resourceVersion") || this.#version);
    if (from < this.#compacted) {
      return refuse(410, "Expired", `too old resource version: ${from} (${this.#compacted})`);
    }
    return { status: 200, headers: {}, body: this.#stream(target, matcher(query), from, signal) };
  }

  async *#stream(
    target: Target,
    matches: (object: KubeObject) => boolean,
    from: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    let wake = () => {};
    const watch = { notify: () => wake(), dropped: false };
    const abort = () => {
      watch.dropped = true;
      wake();
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.watches.add(watch);
    let seen = from;
    try {
      while (!watch.dropped) {
        const next = this.#changes.find(
          (change) =>
            change.version > seen &&
            change.resource === target.resource &&
            (target.namespace === "" || change.object.metadata?.namespace === target.namespace) &&
            matches(change.object),
        );
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        seen = next.version;
        yield encoder.encode(`${JSON.stringify({ type: next.type, object: next.object })}\n`);
      }
    } finally {
      this.watches.delete(watch);
      signal?.removeEventListener("abort", abort);
    }
  }

  #create(target: Target, sent: KubeObject): HttpResponse {
    const { generateName } = sent.metadata ?? {};
    const name =
      sent.metadata?.name ?? `${generateName}${(++this.#names).toString(36).padStart(5, "0")}`;
    const at = { ...target, name };
    if (this.find(at) !== undefined) {
      const message = `${target.resource.split("/").at(-1)} "${name}" already exists`;
      return refuse(409, "AlreadyExists", message);
    }
    const metadata = {
      ...sent.metadata,
      name,
      ...(target.namespace === "" ? {} : { namespace: target.namespace }),
      uid: `uid-${++this.#names}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      generation: 1,
    };
    return answer(201, this.#store(at, { ...sent, metadata }, "ADDED"));
  }

  #update(target: Target, old: KubeObject, sent: KubeObject, blind = false): HttpResponse {
    const version = blind ? undefined : sent.metadata?.resourceVersion;
    if (version !== undefined && version !== "" && version !== old.metadata?.resourceVersion) {
      const message =
        "the object has been modified; please apply your changes to the latest version and try again";
      return refuse(
        409,
        "Conflict",
        `Operation cannot be fulfilled on "${target.name}": ${message}`,
      );
    }
    const next: KubeObject =
      target.subresource === "status"
        ? { ...old, status: sent.status }
        : { ...sent, ...("status" in old ? { status: sent.status ?? old.status } : {}) };
    const specChanged = JSON.stringify(next.spec) !== JSON.stringify(old.spec);
    const { uid, creationTimestamp, generation = 1, deletionTimestamp } = old.metadata ?? {};
    next.metadata = {
      ...(target.subresource === "status" ? old.metadata : next.metadata),
      uid,
      creationTimestamp,
      generation: generation + (specChanged ? 1 : 0),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    };
    if (JSON.stringify(strip(next)) === JSON.stringify(strip(old))) return answer(200, old);
    const goes = deletionTimestamp !== undefined && !next.metadata?.finalizers?.length;
    if (goes) return answer(200, this.remove(target, next));
    return answer(200, this.#store(target, next, "MODIFIED"));
  }

  #delete(target: Target, options: DeleteBody | undefined): HttpResponse {
    if (target.name === undefined) {
      for (const object of this.all(target)) {
        this.#delete({ ...target, name: object.metadata?.name }, options);
      }
      return answer(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
    }
    const old = this.find(target);
    if (old === undefined) return missing(target);
    const wanted = options?.preconditions?.uid;
    if (wanted !== undefined && wanted !== old.metadata?.uid) {
      return refuse(409, "Conflict", "Precondition failed: UID in precondition");
    }
    const finalizers = [...(old.metadata?.finalizers ?? [])];
    if (options?.propagationPolicy === "Foreground") finalizers.push("foregroundDeletion");
    if (options?.propagationPolicy === "Orphan") finalizers.push("orphan");
    if (finalizers.length === 0) return answer(200, this.remove(target, deepClone(old)));
    const deletionTimestamp = old.metadata?.deletionTimestamp ?? "2026-01-01T00:00:00Z";
    const metadata = { ...old.metadata, finalizers: [...new Set(finalizers)], deletionTimestamp };
    return answer(200, this.#store(target, { ...old, metadata }, "MODIFIED"));
  }

  #store(target: Target, object: KubeObject, type: Change["type"]): KubeObject {
    const stored = this.#record(target, object, type);
    this.#objects.set(keyFor(target, stored.metadata?.name ?? ""), stored);
    return stored;
  }

  #record(target: Target, object: KubeObject, type: Change["type"]): KubeObject {
    const version = ++this.#version;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const stored = { ...object, metadata };
    this.#changes.push({ type, resource: target.resource, object: stored, version });
    for (const watch of this.watches) watch.notify();
    return stored;
  }
}

interface DeleteBody {
  propagationPolicy?: string;
  preconditions?: { uid?: string };
}

/** /api/v1/namespaces/NS/pods/NAME/SUB, /apis/G/V/nodes/NAME, /api/v1/namespaces/NAME. */
function parseTarget(path: string): Target {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const root = parts.splice(0, parts[0] === "api" ? 2 : 3).join("/");
  const inNamespace =
    parts[0] === "namespaces" &&
    parts.length > 2 &&
    parts[2] !== "status" &&
    parts[2] !== "finalize";
  const namespace = inNamespace ? parts[1]! : "";
  if (inNamespace) parts.splice(0, 2);
  const [plural = "", name, subresource] = parts;
  return { resource: `/${root}/${plural}`, namespace, name, subresource };
}

function keyFor(target: Target, name: string): string {
  return `${target.resource}|${target.namespace}/${name}`;
}

function missing(target: Target): HttpResponse {
  return refuse(404, "NotFound", `${target.resource.split("/").at(-1)} "${target.name}" not found`);
}

function strip(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: "" } };
}

function patched(old: KubeObject, patch: unknown, contentType: string): KubeObject {
  const copy = deepClone(old);
  if (contentType.includes("json-patch")) {
    return applyJSONPatch(copy, patch as Parameters<typeof applyJSONPatch>[1]) as KubeObject;
  }
  const type = typeOf(old.apiVersion ?? "", old.kind ?? "");
  if (contentType.includes("strategic") && type !== undefined) {
    return applyStrategicMergePatch(copy, patch as KubeObject, type) as KubeObject;
  }
  return applyMergePatch(copy, patch as KubeObject) as KubeObject;
}

function matcher(query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  return (object) =>
    labels.matches(object.metadata?.labels) &&
    fields.requirements.every(({ field, value }) => fieldOf(object, field) === value);
}

function fieldOf(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split("."))
    value = (value as Record<string, unknown> | undefined)?.[step];
  return value === undefined ? "" : String(value);
}
