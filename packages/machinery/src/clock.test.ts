/** Clock, randomness, names and ages. */
import { describe, expect, test } from "vitest";
import { createFakeClock, sleep } from "./clock.ts";
import { humanDuration, translateTimestampSince } from "./duration.ts";
import { createSeededRandom, generateName } from "./random.ts";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from "./validation/names.ts";

describe("the fake clock", () => {
  test("fires what is due in order, timers set meanwhile included", async () => {
    const clock = createFakeClock(1000);
    const seen: string[] = [];
    clock.setTimeout(() => seen.push(`late ${clock.now()}`), 30);
    clock.setTimeout(() => {
      seen.push(`early ${clock.now()}`);
      clock.setTimeout(() => seen.push(`nested ${clock.now()}`), 5);
    }, 10);
    clock.clearTimeout(clock.setTimeout(() => seen.push("never"), 1));
    await clock.step(20);
    expect(seen).toEqual(["early 1010", "nested 1015"]);
    await clock.step(10);
    expect(seen.at(-1)).toBe("late 1030");
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1030, 30, 0]);
  });

  test("a loop that sleeps runs on as time is stepped", async () => {
    const clock = createFakeClock();
    let rounds = 0;
    const stop = new AbortController();
    const loop = (async () => {
      for (;;) {
        await sleep(clock, 10, stop.signal);
        rounds++;
      }
    })();
    await clock.step(55);
    expect(rounds).toBe(5);
    stop.abort(new Error("stopped"));
    await expect(loop).rejects.toThrow("stopped");
    expect(clock.pending).toBe(0);
  });
});

test("a seed says everything", () => {
  const [a, b] = [createSeededRandom(7), createSeededRandom(7)];
  expect([a.next(), a.uuid(), generateName(a, "web-")]).toEqual([
    b.next(),
    b.uuid(),
    generateName(b, "web-"),
  ]);
  expect(a.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(generateName(a, "x".repeat(70))).toMatch(/^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

test.for([
  [-3 * second, "<invalid>"],
  [0, "0s"],
  [119 * second, "119s"],
  [303 * second, "5m3s"],
  [120 * second, "2m"],
  [59 * 60 * second, "59m"],
  [3 * hour + 60 * second, "3h1m"],
  [47 * hour, "47h"],
  [2 * day, "2d"],
  [2 * day + 5 * hour, "2d5h"],
  [700 * day, "700d"],
  [3 * 365 * day + 40 * day, "3y40d"],
  [9 * 365 * day, "9y"],
] as const)("%d ms are %s", ([ms, text]) => {
  expect(humanDuration(ms)).toBe(text);
});

test("a time that is not there has an unknown age", () => {
  expect(translateTimestampSince(undefined, 0)).toBe("<unknown>");
  expect(translateTimestampSince("2026-01-01T00:00:00Z", Date.UTC(2026, 0, 1, 0, 5, 3))).toBe(
    "5m3s",
  );
});

test.for([
  [isDNS1123Label("a.b"), ["must not contain dots"]],
  [isDNS1123Label("a-b"), []],
  [isDNS1123Subdomain("a".repeat(254)), ["must be no more than 253 characters"]],
  [isQualifiedName("/x"), ["prefix part must be non-empty"]],
  [
    isDNS1123Subdomain("A"),
    [
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
] as const)("names: %j", ([actual, expected]) => {
  expect(actual).toEqual(expected);
});
