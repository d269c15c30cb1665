/**
 * Is there an order of these operations, each at one moment between its call and its return, in
 * which a plain register would have answered the same?
 *
 * Keys are independent, so each is checked alone. An operation without a return may have happened
 * at any moment after its call, or never.
 *
 * Source  Wing & Gong 1993; Lowe 2017 (the cache of what was tried)
 */

export type Action =
  | { readonly type: "put"; readonly value: string }
  | { readonly type: "delete" }
  | { readonly type: "get"; readonly result?: string | undefined }
  /** Puts `value` if the key has `expect` (undefined: is absent). */
  | {
      readonly type: "swap";
      readonly expect: string | undefined;
      readonly value: string;
      readonly succeeded?: boolean | undefined;
    };

export interface Operation {
  readonly key: string;
  readonly action: Action;
  readonly callMs: number;
  /** Infinity: it never returned, and may or may not have happened. */
  readonly returnMs: number;
}

/** The keys whose history no order explains. */
export function nonLinearizableKeys(history: readonly Operation[]): string[] {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) {
    const found = byKey.get(operation.key);
    if (found === undefined) byKey.set(operation.key, [operation]);
    else found.push(operation);
  }
  return [...byKey].filter(([, operations]) => !isLinearizable(operations)).map(([key]) => key);
}

type Value = string | undefined;

/** The value after the action, or undefined when it could not have answered what it did. */
function step(value: Value, action: Action, isKnown: boolean): { value: Value } | undefined {
  switch (action.type) {
    case "put":
      return { value: action.value };
    case "delete":
      return { value: undefined };
    case "get":
      return action.result === value ? { value } : undefined;
    case "swap": {
      const succeeds = value === action.expect;
      if (isKnown && action.succeeded !== succeeds) return undefined;
      return { value: succeeds ? action.value : value };
    }
  }
}

export function isLinearizable(operations: readonly Operation[]): boolean {
  const sorted = [...operations].sort((a, b) => a.callMs - b.callMs);
  const doneAll = sorted.reduce(
    (mask, { returnMs }, i) =>
      returnMs === Number.POSITIVE_INFINITY ? mask : mask | (1n << BigInt(i)),
    0n,
  );
  const tried = new Set<string>();
  const search = (done: bigint, value: Value): boolean => {
    if ((done & doneAll) === doneAll) return true;
    const name = `${done}:${value ?? "\0"}`;
    if (tried.has(name)) return false;
    tried.add(name);
    // Whatever comes next was called before the first of the rest returned.
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [i, { returnMs }] of sorted.entries()) {
      if ((done & (1n << BigInt(i))) === 0n) untilMs = Math.min(untilMs, returnMs);
    }
    for (const [i, { action, callMs, returnMs }] of sorted.entries()) {
      if (callMs > untilMs) break;
      const bit = 1n << BigInt(i);
      if ((done & bit) !== 0n) continue;
      const next = step(value, action, returnMs !== Number.POSITIVE_INFINITY);
      if (next !== undefined && search(done | bit, next.value)) return true;
    }
    return false;
  };
  return search(0n, undefined);
}
