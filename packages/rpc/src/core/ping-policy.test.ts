import { describe, expect, test } from "vitest";
import { PingPolicy } from "./ping-policy.ts";

/** The first of `count` pings, each `everyMs` after the one before, that is one too many. */
function firstTooMany(everyMs: number, { hasCalls = true, answers = false, count = 10 } = {}) {
  const policy = new PingPolicy(5000);
  for (let i = 0; i < count; i++) {
    const answered = answers ? i : 0;
    if (policy.isTooMany({ ms: i * everyMs, hasCalls, answered })) return i + 1;
  }
  return undefined;
}

describe("pings of a client", () => {
  test.each([
    ["now and then", firstTooMany(5000), undefined],
    ["too often: the first is free, two are forgiven", firstTooMany(4999), 4],
    ["too often, but answers go out in between", firstTooMany(10, { answers: true }), undefined],
    ["without a call hardly any", firstTooMany(60_000, { hasCalls: false }), 4],
  ])("%s", (_what, found, wanted) => {
    expect(found).toBe(wanted);
  });
});
