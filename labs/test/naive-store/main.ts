/**
 * A store as the hints lead to it: right, slow, and no line of the reference's. The grader must
 * give full marks to any right store, not to one.
 */
import type { KeyValue, MvccStore, RangeQuery, RangeResult } from "@nanokube/etcd-lite";

type Fail = (kind: "Compacted" | "FutureRevision") => Error;

export function create({ fail }: { fail: Fail }): MvccStore {
  return build(fail, new Map(), new Map(), 1, -1);
}

function build(
  fail: Fail,
  keys: Map<string, KeyValue[]>,
  log: Map<number, KeyValue[]>,
  first: number,
  compactedFirst: number,
): MvccStore {
  let revision = first;
  let compacted = compactedFirst;

  const rangeAt = (query: RangeQuery, current: number): RangeResult => {
    const asked = query.revision ?? 0;
    if (asked > current) throw fail("FutureRevision");
    if (asked > 0 && asked < compacted) throw fail("Compacted");
    const at = asked > 0 ? asked : current;
    const { key, end } = query;
    const found = [...keys.keys()]
      .filter((k) => (end === undefined ? k === key : k >= key && (end === "" || k < end)))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((k) => keys.get(k)!.findLast((v) => v.modRevision <= at))
      .filter((kv) => kv !== undefined && kv.version > 0) as KeyValue[];
    const limit = query.limit || found.length;
    const kvs = query.countOnly === true ? [] : found.slice(0, limit);
    return { kvs, count: found.length, revision: current };
  };

  return {
    get revision() {
      return revision;
    },
    get compactedRevision() {
      return compacted;
    },
    get keyCount() {
      return keys.size;
    },
    get sizeBytes() {
      const versions = [...keys.values()].flat();
      return versions.reduce((sum, kv) => sum + kv.key.length + kv.value.length + 50, 0);
    },
    range: (query) => rangeAt(query, revision),
    begin() {
      const changes: KeyValue[] = [];
      const next = revision + 1;
      const seen = () => (changes.length > 0 ? next : revision);
      const write = (kv: KeyValue): KeyValue => {
        keys.set(kv.key, [...(keys.get(kv.key) ?? []), kv]);
        changes.push(kv);
        return kv;
      };
      return {
        revision: next,
        changes,
        range: (query) => rangeAt(query, seen()),
        put(key, value, lease) {
          const last = keys.get(key)?.at(-1);
          const isNew = last === undefined || last.version === 0;
          return write({
            key,
            value,
            lease,
            createRevision: isNew ? next : last.createRevision,
            modRevision: next,
            sub: changes.length,
            version: isNew ? 1 : last.version + 1,
          });
        },
        deleteRange(span) {
          const { kvs } = rangeAt(span, seen());
          for (const { key } of kvs) {
            const tombstone = { key, value: new Uint8Array(0), lease: 0n, version: 0 };
            write({ ...tombstone, createRevision: 0, modRevision: next, sub: changes.length });
          }
          return kvs.length;
        },
        commit() {
          if (changes.length === 0) return;
          revision = next;
          log.set(next, changes);
        },
      };
    },
    compact(at) {
      if (at <= compacted) throw fail("Compacted");
      if (at > revision) throw fail("FutureRevision");
      compacted = at;
      for (const [key, versions] of keys) {
        let keep = versions.findLastIndex((v) => v.modRevision <= at);
        if (versions[keep]?.version === 0) keep++;
        const left = versions.slice(Math.max(keep, 0));
        if (left.length === 0) keys.delete(key);
        else keys.set(key, left);
      }
      for (const old of log.keys()) if (old < at) log.delete(old);
    },
    changesAt: (at) => log.get(at) ?? [],
    versions: () => [...keys.values()].flat(),
    fork: () => build(fail, new Map(keys), new Map(log), revision, compacted),
  };
}
