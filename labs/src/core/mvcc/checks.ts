/**
 * The checks of lab 01: what each one draws. What it is worth and what it says stands in lab.yml.
 */
import { createSeededRandom } from "@nanokube/machinery";
import { streamSeed } from "../seeds.ts";
import { drawHistory, type Recipe } from "./generator.ts";
import type { ModelReply } from "./model.ts";
import type { Operation } from "./operation.ts";

const few = ["a", "b", "c"];
/** Byte order is not the alphabet's: B < a, and the last one is the byte 255. */
const awkward = ["a", "B", "aa", "b", "_", "a/1", "\xe4", "\xff"];
const paths = [
  "/registry/pods",
  "/registry/pods/default/a",
  "/registry/pods/default/b",
  "/registry/pods/kube-system/a",
  "/registry/podtemplates/default/a",
  "/registry/services/specs/default/a",
];
/** The end of a prefix is the prefix with its last byte counted up. */
const prefixEnds = ["/registry/pods0", "/registry/pods/default0", "/registry0", ""];

type Tell = (op: Operation, reply: ModelReply) => boolean;

const found: Tell = (op, reply) => op.op === "range" && "count" in reply! && reply.count > 0;
const refused: Tell = (_, reply) => "error" in reply!;
const refusedAs =
  (kind: string): Tell =>
  (_, reply) =>
    "error" in reply! && reply.error === kind;
const isPast: Tell = (op, reply) =>
  found(op, reply) && (op as { query: Query }).query.revision! > 0;
const deletes = (least: number, most: number): Tell => {
  return (op, reply) =>
    op.op === "txn" &&
    "steps" in reply! &&
    reply.steps.some((s) => "deleted" in s && s.deleted >= least && s.deleted <= most);
};
const hasSteps = (kind: string, least: number): Tell => {
  return (op, reply) =>
    op.op === "txn" &&
    "done" in reply! &&
    reply.done &&
    op.steps.length >= least &&
    op.steps.some((step) => step.do === kind);
};
const isOp = (kind: string): Tell => {
  return (op) => op.op === kind;
};
type Query = { revision?: number };

export const recipes: Readonly<Record<string, Recipe>> = {
  "a.put-get": {
    keys: ["a", "b", "c", "d", "e", "f", "g", "h"],
    mix: { put: 5, get: 5, state: 1 },
    length: 24,
    tells: found,
    last: ["state"],
  },
  "a.overwrite": {
    keys: ["a", "b"],
    mix: { put: 6, get: 5, state: 1 },
    length: 24,
    tells: (op, reply) => found(op, reply) && "kvs" in reply! && reply.kvs.some((kv) => kv[4] > 1),
    last: ["get", "state"],
  },
  "b.past-reads": {
    keys: few,
    mix: { put: 6, pastGet: 5, pastRange: 3 },
    length: 28,
    tells: isPast,
  },
  "b.future-refused": {
    keys: few,
    mix: { put: 5, futureGet: 4, get: 2, pastGet: 1, state: 1 },
    length: 22,
    tells: refused,
    last: ["state"],
  },
  "b.changes": {
    keys: few,
    mix: { put: 6, guarded: 1, get: 1 },
    length: 20,
    tells: isOp("txn"),
    last: ["changes", "versions"],
  },
  "c.deletes": {
    keys: ["a", "b", "c", "d", "e"],
    mix: { put: 6, delete: 4, get: 2, range: 3, state: 1 },
    length: 28,
    tells: deletes(1, 9),
    last: ["range", "state"],
  },
  "c.rebirth": {
    keys: ["a", "b"],
    mix: { put: 6, delete: 4, get: 3, pastGet: 4 },
    length: 28,
    tells: (op, reply) =>
      found(op, reply) && "kvs" in reply! && reply.kvs.some((kv) => kv[4] === 1 && kv[3] > 3),
    last: ["changes"],
  },
  "c.empty-delete": {
    keys: few,
    mix: { put: 4, deleteAbsent: 4, get: 2, state: 2 },
    length: 20,
    tells: deletes(0, 0),
    last: ["state", "put", "get"],
  },
  "d.one-revision": {
    keys: ["a", "b", "c", "d", "e"],
    mix: { txn: 5, guarded: 3, get: 2, state: 1 },
    length: 20,
    tells: hasSteps("put", 3),
    last: ["changes", "state"],
  },
  "d.own-writes": {
    keys: ["a", "b", "c", "d"],
    mix: { txn: 6, put: 2, get: 1 },
    length: 20,
    tells: hasSteps("range", 3),
  },
  "d.no-half-reads": {
    keys: ["a", "b", "c", "d"],
    mix: { peekTxn: 6, put: 2, delete: 1 },
    length: 18,
    tells: hasSteps("peek", 2),
  },
  "e.refusals": {
    keys: few,
    mix: { put: 7, compact: 2, refusedCompact: 2, compactedGet: 5, state: 1 },
    length: 32,
    tells: refusedAs("Compacted"),
    last: ["state"],
  },
  "e.survivors": {
    keys: ["a", "b", "c", "d"],
    mix: { put: 7, delete: 3, compact: 2, pastGet: 3, pastRange: 4, get: 1 },
    length: 36,
    tells: isOp("compact"),
    last: ["pastRange", "versions", "changes"],
  },
  "f.limit-count": {
    keys: ["a", "b", "c", "d", "e"],
    mix: { put: 6, range: 6, pastRange: 2, delete: 1 },
    length: 28,
    limits: true,
    tells: (op, reply) =>
      op.op === "range" && "kvs" in reply! && reply.kvs.length < reply.count && !!op.query.limit,
  },
  "f.order-and-ends": {
    keys: awkward,
    mix: { put: 6, range: 6, delete: 1 },
    length: 32,
    tells: (op, reply) => op.op === "range" && "kvs" in reply! && reply.kvs.length > 1,
    last: ["range"],
  },
  "f.flat-keys": {
    keys: paths,
    ends: prefixEnds,
    mix: { put: 6, range: 5, delete: 1, get: 1 },
    length: 28,
    tells: (op, reply) => op.op === "range" && "kvs" in reply! && reply.kvs.length > 1,
  },
  "f.forks": {
    keys: few,
    mix: { put: 6, fork: 1, forkRange: 4, delete: 1, get: 1 },
    length: 30,
    tells: (op, reply) => op.op === "forkRange" && "count" in reply! && reply.count > 0,
  },
};

export const memoryCheck = "e.memory";
export const checkIds: readonly string[] = [...Object.keys(recipes), memoryCheck].sort();

/** A check that does not say what makes it telling could pass without asking anything. */
export function isTelling(check: string, op: Operation, reply: ModelReply): boolean {
  return check === memoryCheck ? op.op === "measure" : recipes[check]!.tells(op, reply);
}

export function historyOf(check: string, seed: number): Operation[] {
  const random = createSeededRandom(streamSeed(check, seed));
  if (check === memoryCheck) return memoryHistory(Math.floor(random.next() * 5));
  const recipe = recipes[check];
  if (recipe === undefined) throw new Error(`no such check: ${check}`);
  return drawHistory(recipe, random);
}

const valueBytes = 4096;
const keysPerWrite = 40;
const rounds = 24;

/** 4 MB written over and over the same keys; after the compaction 160 kB of it are alive. */
function memoryHistory(extra: number): Operation[] {
  const history: Operation[] = [{ op: "measure" }];
  const count = keysPerWrite + extra;
  for (let round = 0; round < rounds; round++) {
    const steps = Array.from({ length: count }, (_, i) => {
      const value = String.fromCharCode(97 + (round % 26)).repeat(valueBytes);
      return { do: "put", key: `key-${i}`, value, lease: 0 } as const;
    });
    history.push({ op: "txn", steps });
  }
  const revision = rounds + 1;
  history.push({ op: "compact", revision }, { op: "measure" });
  history.push({ op: "range", query: { key: "key-1" } });
  return history;
}

/** Bytes that may be in use for so many live ones: pages, indexes and the garbage of a page. */
export function boundBytes(liveBytes: number): number {
  return liveBytes * 4 + 1024 * 1024;
}
