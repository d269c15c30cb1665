import { expect, test } from "vitest";
import { ResourceCache } from "../cache/resource-cache.ts";
import { StoredObject } from "../cache/stored-object.ts";
import { usualGates } from "../feature-gates.ts";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import type { RestContext, Sink, Stream } from "./context.ts";
import { watch } from "./watch.ts";

const codec = { encode: encodeStored, decode: parseTree, selectableFields: () => ({}) };

function put(cache: ResourceCache, name: string, revision: number): void {
  const value = encodeStored({ kind: "ConfigMap", apiVersion: "v1", metadata: { name } });
  cache.put(new StoredObject(name, revision, value, codec, 0n), 0);
}

/** What a watch of everything needs of a request and of the server. */
function contextOf(cache: ResourceCache, query: string): RestContext {
  return {
    request: {
      query: new URLSearchParams(query),
      headers: {},
      signal: new AbortController().signal,
    },
    info: { namespace: "", name: "", resource: "configmaps", parts: ["configmaps"] },
    output: { format: "json", as: "", pretty: false },
    resource: {
      cache,
      apiVersion: "v1",
      info: { kind: "ConfigMap", plural: "configmaps", namespaced: true },
      strategy: {},
      fromStorage: (tree: unknown) => tree,
    },
    server: {
      clock: { monotonic: () => 0, setTimeout: () => 0, clearTimeout: () => {} },
      random: { next: () => 0 },
      limits: { watchTimeoutMinSeconds: 1800 },
      gates: usualGates,
      store: {
        catchUp: async () => {},
        get revision() {
          return cache.changedAt;
        },
      },
    },
  } as unknown as RestContext;
}

test("the initial events end at the version they are of, not at that of what follows", async () => {
  const cache = new ResourceCache("configmaps/", codec);
  put(cache, "a", 1);
  const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1";
  const { body } = await watch(contextOf(cache, query));
  put(cache, "b", 2);
  const told: string[] = [];
  const write = (frame: Uint8Array) => {
    const { type, object } = JSON.parse(Buffer.from(frame).toString());
    told.push(`${type} ${object.metadata.name ?? ""} ${object.metadata.resourceVersion}`);
  };
  (body as Stream)({ write, pendingBytes: 0, end() {}, destroy() {} } satisfies Sink);
  put(cache, "c", 3);
  expect(told).toEqual(["ADDED a 1", "BOOKMARK  1", "ADDED b 2", "ADDED c 3"]);
});
