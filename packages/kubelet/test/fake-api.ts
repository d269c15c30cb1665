/**
 * As much of an API server as a kubelet needs, in memory: objects by path, lists, watches with field
 * selectors, patches, graceful deletion of pods, tokens.
 */
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import type { HttpRequest, HttpResponse, HttpTransport } from "@nanokube/client";
import { applyMergePatch, applyStrategicMergePatch } from "@nanokube/machinery";

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

interface Watcher {
  collection: string;
  fields: URLSearchParams;
  send(type: string, object: Stored): void;
}

const TYPES: Readonly<Record<string, string>> = {
  pods: "io.k8s.api.core.v1.Pod",
  nodes: "io.k8s.api.core.v1.Node",
  events: "io.k8s.api.core.v1.Event",
};

const KINDS: Readonly<Record<string, string>> = {
  pods: "Pod",
  nodes: "Node",
  services: "Service",
  configmaps: "ConfigMap",
  secrets: "Secret",
  events: "Event",
  leases: "Lease",
  csinodes: "CSINode",
};

interface Place {
  /** Of the resource, without a namespace: "pods". */
  resource: string;
  prefix: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

function parsePath(path: string): Place {
  const match =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      path,
    );
  if (match === null) throw new Error(`fake API: ${path}`);
  const [, prefix = "", namespace, resource = "", name, subresource] = match;
  return { prefix, namespace, resource, name, subresource };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const answer = (status: number, body: unknown): HttpResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: once(JSON.stringify(body)),
});

const problem = (code: number, reason: string, message: string): HttpResponse =>
  answer(code, { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message });

const fieldOf = (object: Stored, path: string): string =>
  String(
    path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], object) ??
      "",
  );

export class FakeAPI {
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Set<Watcher>();
  #version = 1;
  #serial = 1;
  /** Every status phase a pod went through. */
  readonly phases = new Map<string, string[]>();

  readonly transport: HttpTransport = async (request) => this.#serve(request);

  #key(place: Place, name = place.name): string {
    return `${place.prefix}/${place.resource}/${place.namespace ?? ""}/${name}`;
  }

  #store(place: Place, object: Stored, type: "ADDED" | "MODIFIED"): Stored {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    this.#objects.set(this.#key(place, object.metadata.name), object);
    if (place.resource === "pods") {
      const phase = (object.status as { phase?: string } | undefined)?.phase ?? "";
      const seen = this.phases.get(object.metadata.name ?? "") ?? [];
      if (seen.at(-1) !== phase) seen.push(phase);
      this.phases.set(object.metadata.name ?? "", seen);
    }
    this.#tell(place, type, object);
    return object;
  }

  #tell(place: Place, type: string, object: Stored): void {
    for (const watcher of this.#watchers) {
      if (watcher.collection !== `${place.prefix}/${place.resource}`) continue;
      if (this.#matches(object, watcher.fields)) watcher.send(type, structuredClone(object));
    }
  }

  #matches(object: Stored, query: URLSearchParams): boolean {
    return (query.get("fieldSelector") ?? "")
      .split(",")
      .filter((term) => term !== "")
      .every((term) => {
        const [path = "", value = ""] = term.split("=");
        return fieldOf(object, path) === value;
      });
  }

  #list(place: Place, query: URLSearchParams): Stored[] {
    const start = `${place.prefix}/${place.resource}/`;
    return [...this.#objects]
      .filter(([key]) => key.startsWith(start))
      .map(([, object]) => object)
      .filter((o) => place.namespace === undefined || o.metadata.namespace === place.namespace)
      .filter((object) => this.#matches(object, query));
  }

  #watch(place: Place, query: URLSearchParams, signal: AbortSignal | undefined): HttpResponse {
    const queue: string[] = [];
    let wake = () => {};
    const watcher: Watcher = {
      collection: `${place.prefix}/${place.resource}`,
      fields: query,
      send: (type, object) => {
        if (place.namespace !== undefined && object.metadata.namespace !== place.namespace) return;
        queue.push(`${JSON.stringify({ type, object })}\n`);
        wake();
      },
    };
    if (query.get("sendInitialEvents") === "true") {
      for (const object of this.#list(place, query)) watcher.send("ADDED", object);
      const metadata = {
        resourceVersion: String(this.#version),
        annotations: { "k8s.io/initial-events-end": "true" },
        namespace: place.namespace,
      } as ObjectMeta;
      watcher.send("BOOKMARK", { metadata });
    }
    this.#watchers.add(watcher);
    const watchers = this.#watchers;
    async function* body() {
      try {
        while (signal?.aborted !== true) {
          const next = queue.shift();
          if (next !== undefined) yield new TextEncoder().encode(next);
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              signal?.addEventListener("abort", () => resolve(), { once: true });
            });
          }
        }
      } finally {
        watchers.delete(watcher);
      }
    }
    return { status: 200, headers: { "content-type": "application/json" }, body: body() };
  }

  #create(place: Place, body: Stored): HttpResponse {
    if (place.subresource === "token") {
      const expirationTimestamp = new Date(Date.now() + 3600_000).toISOString();
      return answer(201, {
        ...body,
        status: { token: `token-of-${place.name}`, expirationTimestamp },
      });
    }
    if (place.resource.endsWith("reviews")) {
      return answer(201, { ...body, status: { allowed: true, authenticated: false } });
    }
    body.metadata ??= {};
    const { metadata } = body;
    if (this.#objects.has(this.#key(place, metadata.name))) {
      return problem(409, "AlreadyExists", `${place.resource} "${metadata.name}" already exists`);
    }
    metadata.uid ??= `00000000-0000-4000-8000-${String(this.#serial++).padStart(12, "0")}`;
    metadata.creationTimestamp ??= new Date().toISOString().replace(/\.\d+Z/, "Z");
    if (place.namespace !== undefined) metadata.namespace = place.namespace;
    metadata.generation = 1;
    return answer(201, this.#store(place, body, "ADDED"));
  }

  #patch(place: Place, current: Stored, request: HttpRequest, body: Stored): HttpResponse {
    const strategic = request.headers["content-type"]?.includes("strategic");
    const uid = body.metadata?.uid;
    if (uid !== undefined && uid !== current.metadata.uid) {
      return problem(409, "Conflict", "uid mismatch");
    }
    const type = TYPES[place.resource];
    const merged =
      strategic && type !== undefined
        ? applyStrategicMergePatch(current as never, body as never, type)
        : applyMergePatch(current as never, body as never);
    return answer(200, this.#store(place, merged as unknown as Stored, "MODIFIED"));
  }

  #delete(place: Place, current: Stored, options: { gracePeriodSeconds?: number }): HttpResponse {
    const spec = current.spec as { terminationGracePeriodSeconds?: number } | undefined;
    const grace = options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
    const bound = (current.spec as { nodeName?: string } | undefined)?.nodeName !== undefined;
    if (place.resource === "pods" && grace > 0 && bound) {
      const next = structuredClone(current);
      next.metadata.deletionTimestamp = new Date(Date.now() + grace * 1000).toISOString();
      next.metadata.deletionGracePeriodSeconds = grace;
      return answer(200, this.#store(place, next, "MODIFIED"));
    }
    this.#objects.delete(this.#key(place));
    this.#version += 1;
    this.#tell(place, "DELETED", current);
    return answer(200, current);
  }

  #serve(request: HttpRequest): HttpResponse {
    const url = new URL(request.path, "http://fake");
    const place = parsePath(url.pathname);
    const body = (
      request.body === undefined || request.body.length === 0
        ? {}
        : JSON.parse(new TextDecoder().decode(request.body))
    ) as Stored;
    if (place.name === undefined) {
      if (request.method === "POST") return this.#create(place, body);
      if (url.searchParams.get("watch") === "true") {
        return this.#watch(place, url.searchParams, request.signal);
      }
      const items = this.#list(place, url.searchParams);
      return answer(200, {
        kind: `${KINDS[place.resource] ?? "Unknown"}List`,
        metadata: { resourceVersion: String(this.#version) },
        items,
      });
    }
    if (request.method === "POST") return this.#create(place, body);
    const current = this.#objects.get(this.#key(place));
    if (current === undefined) {
      return problem(404, "NotFound", `${place.resource} "${place.name}" not found`);
    }
    if (request.method === "GET") return answer(200, current);
    if (request.method === "PATCH") return this.#patch(place, current, request, body);
    if (request.method === "PUT") return answer(200, this.#store(place, body, "MODIFIED"));
    return this.#delete(place, current, body as { gracePeriodSeconds?: number });
  }

  /** For the test's own hand: what kubectl would do. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.transport({
      method,
      path,
      headers: { "content-type": "application/merge-patch+json" },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString()) as T;
  }
}
