/** The model by hand: what a person reads off etcd's documentation. */
import { describe, expect, test } from "vitest";
import { Model } from "./model.ts";
import type { Kv, Operation, Query } from "./operation.ts";

const put = (key: string, value: string): Operation => ({
  op: "txn",
  steps: [{ do: "put", key, value, lease: 0 }],
});
const del = (key: string, end?: string): Operation => ({
  op: "txn",
  steps: [{ do: "delete", key, ...(end === undefined ? {} : { end }) }],
});

// Revision        2            3            4            5          6
const history = [put("a", "1"), put("b", "1"), put("a", "2"), del("b"), put("b", "9")];

function modelAfter(...ops: Operation[]): Model {
  const model = new Model();
  for (const op of ops) model.apply(op);
  return model;
}

const seen = (model: Model, query: Query) => {
  const reply = model.apply({ op: "range", query });
  if (!("kvs" in reply!)) return reply;
  return reply.kvs.map(([key, value]) => `${key}=${value}`).join(" ");
};

describe("reads", () => {
  const all = { key: "a", end: "z" };
  test.each([
    ["the newest", all, "a=2 b=9"],
    ["the past", { ...all, revision: 3 }, "a=1 b=1"],
    ["after a delete", { ...all, revision: 5 }, "a=2"],
    ["before everything", { ...all, revision: 1 }, ""],
    ["one key", { key: "b" }, "b=9"],
    ["from a key on", { key: "b", end: "" }, "b=9"],
    ["an end before the key", { key: "b", end: "a" }, ""],
    ["a limit", { ...all, limit: 1 }, "a=2"],
    ["a revision to come", { ...all, revision: 7 }, { error: "FutureRevision" }],
  ])("%s", (_, query, wanted) => {
    expect(seen(modelAfter(...history), query)).toEqual(wanted);
  });

  test("a key that comes back begins anew", () => {
    const reply = modelAfter(...history).apply({ op: "range", query: { key: "b" } });
    expect(reply).toMatchObject({ kvs: [["b", "9", 6, 6, 1, "0"]], count: 1 });
  });
});

describe("compaction", () => {
  const compacted = () => modelAfter(...history, { op: "compact", revision: 5 });

  test("the compacted revision can be read, what is before it cannot", () => {
    expect(seen(compacted(), { key: "a", revision: 5 })).toBe("a=2");
    expect(seen(compacted(), { key: "a", revision: 4 })).toEqual({ error: "Compacted" });
  });

  test("what stays is the newest of each living key, and all since", () => {
    const { versions } = compacted().apply({ op: "versions" }) as { versions: Kv[] };
    expect(versions.map(([key, value, , mod]) => `${key}=${value}@${mod}`)).toEqual([
      "a=2@4",
      "b=9@6",
    ]);
  });

  test("again and beyond are refused", () => {
    expect(compacted().apply({ op: "compact", revision: 5 })).toEqual({ error: "Compacted" });
    expect(compacted().apply({ op: "compact", revision: 7 })).toEqual({ error: "FutureRevision" });
  });
});

describe("transactions", () => {
  test("share one revision, see their own writes, and nobody else does", () => {
    const model = modelAfter(put("a", "1"));
    const reply = model.apply({
      op: "txn",
      steps: [
        { do: "put", key: "a", value: "2", lease: 0 },
        { do: "range", query: { key: "a" } },
        { do: "peek", query: { key: "a" } },
        { do: "delete", key: "b" },
      ],
    });
    expect(reply).toEqual({
      done: true,
      revision: 3,
      steps: [
        { kv: ["a", "2", 2, 3, 2, "0"] },
        { kvs: [["a", "2", 2, 3, 2, "0"]], count: 1, revision: 3 },
        { kvs: [["a", "1", 2, 2, 1, "0"]], count: 1, revision: 2 },
        { deleted: 0 },
      ],
    });
  });

  test("a delete that finds nothing moves nothing", () => {
    expect(modelAfter(put("a", "1"), del("x")).revision).toBe(2);
  });

  test("a refused read inside writes nothing", () => {
    const model = modelAfter(put("a", "1"));
    const steps = [
      { do: "put", key: "b", value: "1", lease: 0 },
      { do: "range", query: { key: "a", revision: 9 } },
    ] as const;
    expect(model.apply({ op: "txn", steps })).toEqual({ error: "FutureRevision" });
    expect(model.revision).toBe(2);
    expect(seen(model, { key: "b" })).toBe("");
  });
});
