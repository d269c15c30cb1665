import { expect, test } from "vitest";
import { ResourceCache } from "../cache/resource-cache.ts";
import { StoredObject } from "../cache/stored-object.ts";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import type { RestContext } from "./context.ts";
import { parseListOptions } from "./list-options.ts";
import { listObjects } from "./read.ts";

const codec = { encode: encodeStored, decode: parseTree, selectableFields: () => ({}) };

/** A list of custom resources that a webhook converts; what it was asked about goes to `asked`. */
function contextOf(asked: string[]): RestContext {
  const cache = new ResourceCache("things/", codec);
  for (const [i, name] of ["a", "b", "c", "d", "e"].entries()) {
    const metadata = { name, labels: { odd: String(i % 2 === 0) } };
    const value = encodeStored({ kind: "Thing", apiVersion: "v1", metadata });
    cache.load(new StoredObject(name, i + 1, value, codec, 0n));
  }
  const all = async (stored: readonly StoredObject[]) => {
    asked.push(...stored.map(({ name }) => name));
    return stored;
  };
  return {
    info: { namespace: "" },
    resource: { cache, info: { namespaced: false }, reading: { all } },
    server: {
      clock: { monotonic: () => 0 },
      store: { catchUp: async () => {}, revision: 5 },
    },
  } as unknown as RestContext;
}

test.each([
  { limit: 2, selector: undefined, shown: "ab", about: "ab" },
  { limit: 2, selector: "true", shown: "ac", about: "abc" },
  { limit: 5, selector: undefined, shown: "abcde", about: "abcde" },
  { limit: 0, selector: "false", shown: "bd", about: "abcde" },
])("a page of $limit is all that is converted for it", async (wish) => {
  const asked: string[] = [];
  const { limit, selector, shown, about } = wish;
  const query = new URLSearchParams({ limit: String(limit) });
  if (selector !== undefined) query.set("labelSelector", `odd=${selector}`);
  const { objects, meta } = await listObjects(contextOf(asked), parseListOptions(query, false));
  expect(objects.map(({ name }) => name).join("")).toBe(shown);
  expect(asked.join("")).toBe(about);
  expect(meta.continue === undefined).toBe(limit === 0 || limit === 5);
});
