/**
 * An API server for tests: lists what is in it, and tells watchers what changes. Only what
 * informers ask for.
 */
import {
  type ApiObject,
  type Client,
  createClient,
  type HttpTransport,
  keyOf,
} from "@nanokube/client";

export interface FakeAPI {
  client: Client;
  set(plural: string, object: ApiObject): void;
  remove(plural: string, key: string): void;
}

/**
 * "/apis/discovery.k8s.io/v1/endpointslices" → EndpointSliceList: clients of upstream's look at it.
 */
function listKind(path: string): { apiVersion: string; kind: string } {
  const [root, ...rest] = path.split("/").slice(1);
  const apiVersion = root === "api" ? rest[0]! : rest.slice(0, 2).join("/");
  const kinds: Record<string, string> = {
    services: "ServiceList",
    namespaces: "NamespaceList",
    nodes: "NodeList",
    endpointslices: "EndpointSliceList",
  };
  return { apiVersion, kind: kinds[rest.at(-1)!] ?? "List" };
}

type Send = (event: object) => void;

export function createFakeAPI(): FakeAPI {
  const objects = new Map<string, Map<string, ApiObject>>();
  const watchers = new Map<string, Set<Send>>();
  let version = 1000;
  const of = <K, V>(map: Map<string, Map<K, V>>, key: string) => {
    const known = map.get(key) ?? new Map<K, V>();
    map.set(key, known);
    return known;
  };
  const tell = (plural: string, type: string, object: ApiObject) => {
    for (const send of watchers.get(plural) ?? []) send({ type, object });
  };
  const transport: HttpTransport = async (request) => {
    const url = new URL(request.path, "http://fake");
    const plural = url.pathname.split("/").at(-1)!;
    const field = url.searchParams.get("fieldSelector")?.split("=")[1];
    const wanted = (object: ApiObject) => field === undefined || object.metadata?.name === field;
    const headers = { "content-type": "application/json" };
    if (url.searchParams.get("watch") === null) {
      const items = [...of(objects, plural).values()].filter(wanted);
      const list = {
        ...listKind(url.pathname),
        metadata: { resourceVersion: String(version) },
        items,
      };
      return { status: 200, headers, body: once(JSON.stringify(list)) };
    }
    return { status: 200, headers, body: watch(plural, request.signal) };
  };

  async function* once(text: string): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text);
  }

  async function* watch(plural: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const queue: object[] = [];
    let wake = () => {};
    const send: Send = (event) => {
      queue.push(event);
      wake();
    };
    const all = watchers.get(plural) ?? new Set();
    watchers.set(plural, all.add(send));
    signal?.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal?.aborted) {
        for (const event of queue.splice(0)) {
          yield new TextEncoder().encode(`${JSON.stringify(event)}\n`);
        }
        if (queue.length > 0 || signal?.aborted) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      all.delete(send);
    }
  }

  return {
    client: createClient({ transport }),
    set(plural, object) {
      const key = keyOf(object);
      const known = of(objects, plural).has(key);
      const stored = structuredClone(object);
      stored.metadata = { ...stored.metadata, resourceVersion: String(++version) };
      of(objects, plural).set(key, stored);
      tell(plural, known ? "MODIFIED" : "ADDED", stored);
    },
    remove(plural, key) {
      const object = of(objects, plural).get(key);
      of(objects, plural).delete(key);
      if (object !== undefined) tell(plural, "DELETED", object);
    },
  };
}
