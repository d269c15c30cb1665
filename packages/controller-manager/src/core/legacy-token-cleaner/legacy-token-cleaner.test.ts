import type { Secret } from "@nanokube/api/core/v1";
import { secrets, serviceAccounts } from "@nanokube/client";
import { expect, test } from "vitest";
import type { Context } from "../controller.ts";
import type { Effect, Outcome } from "../steps.ts";
import { cleanUp } from "./legacy-token-cleaner.ts";

const dayMs = 24 * 3_600_000;
const nowMs = Date.UTC(2026, 5, 15, 12);
const daysAgo = (days: number) => new Date(nowMs - days * dayMs).toISOString();
const account = { metadata: { name: "a", namespace: "n" }, secrets: [{ name: "t" }] };

/** What is done about one token, tracked since and used so many days ago. */
function doneAbout(labels: Record<string, string>, trackedSince: string): string[] {
  const metadata = {
    name: "t",
    namespace: "n",
    creationTimestamp: "2020-01-01T00:00:00Z",
    annotations: { "kubernetes.io/service-account.name": "a" },
    labels,
  };
  const secret: Secret = { metadata, type: "kubernetes.io/service-account-token" };
  const of = (resource: unknown) => ({
    list: () => (resource === secrets ? [secret] : []),
    get: () => (resource === serviceAccounts ? account : undefined),
  });
  const steps = cleanUp({ caches: { of }, nowMs } as unknown as Context, 365 * dayMs);
  const done: string[] = [];
  let outcomes: Outcome[] = [];
  for (;;) {
    const { done: isOver, value } = steps.next(outcomes);
    if (isOver) return done;
    const [effect] = value as readonly Effect[];
    if (effect!.do !== "get") done.push(effect!.do);
    outcomes = [{ object: { data: { since: trackedSince } } as never }];
  }
}

const used = (days: number) => ({
  "kubernetes.io/legacy-token-last-used": daysAgo(days).slice(0, 10),
});
const marked = (days: number) => ({
  "kubernetes.io/legacy-token-invalid-since": daysAgo(days).slice(0, 10),
});

test.each([
  ["used a year ago to the day", used(365), 400, []],
  ["used the day before", used(366), 400, ["patch"]],
  ["never used", {}, 400, ["patch"]],
  ["tracked for a year less half a day", {}, 365, []],
  ["tracked for a year and half a day", {}, 366, ["patch"]],
  ["marked a year ago to the day", marked(365), 400, []],
  ["marked the day before", marked(366), 400, ["delete"]],
  ["marked long ago, used since", { ...marked(500), ...used(3) }, 600, []],
])("%s", (_, labels, trackedDaysAgo, done) => {
  expect(doneAbout(labels, daysAgo(trackedDaysAgo).slice(0, 10))).toEqual(done);
});

test("a day that is none says nothing, loudly", () => {
  expect(() => doneAbout({}, "yesterday")).toThrow("error parsing trackedSince time: yesterday");
});
