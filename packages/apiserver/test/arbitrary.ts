/**
 * Arbitrary trees of a type of the api table, the same for the same seed: absent, empty and odd
 * values wherever the type allows them.
 */
import { typeInfo } from "@nanokube/api";

/** @returns a number in [0, 1) each time; mulberry32 */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const values: Readonly<Record<string, readonly unknown[]>> = {
  string: ["", "a", "b", "A b", "10.0.0.1", "fd00::1", "10.0.0.0/8", "example.com/x", "*"],
  bool: [true, false],
  int32: [-1, 0, 1, 2, 80, 70000],
  int64: [-1, 0, 1, 2, 80, 70000],
  uint32: [0, 1],
  uint64: [0, 1],
  float64: [0, 0.5],
  bytes: ["", "AAE=", "e30="],
  quantity: ["0", "1", "-1", "100m", "1Gi"],
  time: ["2020-01-01T00:00:00Z"],
  microTime: ["2020-01-01T00:00:00.000000Z"],
  duration: ["1s"],
  intOrString: [0, 1, -1, "50%", "x", "200%"],
  json: [1, "a", {}, null],
  raw: [{}, { a: 1 }],
  fieldsV1: [{}],
};

function choose<T>(next: () => number, from: readonly T[]): T | undefined {
  return from[Math.floor(next() * from.length)];
}

export function arbitrary(
  type: string,
  next: () => number,
  depth = 8,
  words: readonly string[] = [],
): unknown {
  if (type.startsWith("[]")) {
    const item = () => arbitrary(type.slice(2), next, depth - 1, words);
    return Array.from({ length: Math.floor(next() * 3) }, item).filter(
      (each) => each !== undefined,
    );
  }
  if (type.startsWith("map ")) {
    const key = choose(next, ["a", "cpu", "memory", "example.com/x", "A b"]) ?? "a";
    const value = arbitrary(type.slice(4), next, depth - 1, words);
    return next() < 0.3 || value === undefined ? {} : { [key]: value };
  }
  if (!type.startsWith("ref ")) {
    const known = values[type] ?? [];
    return words.length > 0 && next() < 0.7 ? choose(next, words) : choose(next, known);
  }
  const info = typeInfo(type.slice(4));
  if (info?.alias !== undefined) return arbitrary(info.alias, next, depth, words);
  if (depth <= 0) return {};
  const tree: Record<string, unknown> = {};
  const often = 0.15 + 0.7 * next();
  for (const [name, field] of Object.entries(info?.fields ?? {})) {
    if (name === "apiVersion" || name === "kind" || next() > often) continue;
    const value = arbitrary(field.type, next, depth - 1, field.enum ?? []);
    if (value === undefined) continue;
    if (name.startsWith("+")) Object.assign(tree, value);
    else tree[name] = value;
  }
  return tree;
}
