import { expect, test } from "vitest";
import { ResourceCache } from "../cache/resource-cache.ts";
import { StoredObject } from "../cache/stored-object.ts";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import type { RestContext } from "./context.ts";
import { list } from "./read.ts";

const codec = { encode: encodeStored, decode: parseTree, selectableFields: () => ({}) };

function put(cache: ResourceCache, name: string, revision: number): void {
  const value = encodeStored({ kind: "ConfigMap", apiVersion: "v1", metadata: { name } });
  cache.put(new StoredObject(name, revision, value, codec, 0n), 0);
}

/** What a list of everything needs of a request and of the server. */
function contextOf(cache: ResourceCache): RestContext {
  return {
    request: { query: new URLSearchParams(), headers: {} },
    info: { namespace: "" },
    output: { format: "json", as: "", pretty: false },
    resource: {
      cache,
      apiVersion: "v1",
      info: { kind: "ConfigMap", plural: "configmaps", namespaced: true },
      strategy: {},
    },
    server: {
      clock: { monotonic: () => 0 },
      store: { catchUp: async () => {}, revision: cache.changedAt },
    },
  } as unknown as RestContext;
}

async function namesOf(cache: ResourceCache): Promise<string[]> {
  const { body } = await list(contextOf(cache));
  const { items } = JSON.parse(Buffer.from(body as Uint8Array).toString());
  return items.map((item: { metadata: { name: string } }) => item.metadata.name);
}

test.each(Array.from({ length: 16 }, (_, turn) => turn))(
  "what comes while a list is made, after %i turns, is in the next one",
  async (turns) => {
    const cache = new ResourceCache("configmaps/", codec);
    put(cache, "a", 1);
    const listed = namesOf(cache);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    put(cache, "b", 2);
    await listed;
    expect(await namesOf(cache)).toEqual(["a", "b"]);
  },
);
