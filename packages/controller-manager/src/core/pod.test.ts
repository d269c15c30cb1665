/** Which pod goes first: upstream's order, one rule a row. */
import type { Pod } from "@nanokube/api/core/v1";
import { expect, test } from "vitest";
import { compareForDeletion, isPodAvailable, nextAvailabilityMs } from "./pod.ts";
import { formatTime } from "./time.ts";

const nowMs = Date.UTC(2026, 0, 2);

interface Traits {
  node?: string;
  phase?: string;
  readyForMs?: number;
  ageMs?: number;
  restarts?: number;
  cost?: string;
  uid?: string;
}

function pod({
  node = "n",
  phase = "Running",
  readyForMs = 3_600_000,
  ageMs = 7_200_000,
  restarts = 0,
  cost,
  uid = "u",
}: Traits): Pod {
  return {
    metadata: {
      uid,
      creationTimestamp: formatTime(nowMs - ageMs),
      annotations: cost === undefined ? {} : { "controller.kubernetes.io/pod-deletion-cost": cost },
    },
    spec: node === "" ? {} : { nodeName: node },
    status: {
      phase,
      conditions:
        readyForMs < 0
          ? []
          : [{ type: "Ready", status: "True", lastTransitionTime: formatTime(nowMs - readyForMs) }],
      containerStatuses: [{ restartCount: restarts } as never],
    },
  };
}

test.each([
  ["not assigned before assigned", { node: "" }, {}],
  ["pending before running", { phase: "Pending" }, {}],
  ["unknown before running", { phase: "Unknown" }, {}],
  ["not ready before ready", { readyForMs: -1 }, {}],
  ["the cheaper", { cost: "-5" }, { cost: "3" }],
  ["no cost is zero", {}, { cost: "1" }],
  ["a cost that is no number is zero", { cost: "007" }, { cost: "1" }],
  ["ready for a shorter time", { readyForMs: 1000 }, { readyForMs: 3_600_000 }],
  ["more restarts", { restarts: 3 }, { restarts: 1 }],
  ["younger", { readyForMs: -1, ageMs: 1000 }, { readyForMs: -1, ageMs: 3_600_000 }],
  ["near equals by uid", { uid: "a", readyForMs: 3_700_000 }, { uid: "b", readyForMs: 3_600_000 }],
] as const)("%s goes first", (_, first, second) => {
  const [a, b] = [pod(first), pod(second)];
  expect(compareForDeletion(a, b, new Map(), nowMs)).toBeLessThan(0);
  expect(compareForDeletion(b, a, new Map(), nowMs)).toBeGreaterThan(0);
});

test("on the fuller node goes first", () => {
  const [a, b] = [pod({}), pod({})];
  expect(
    compareForDeletion(
      a,
      b,
      new Map([
        [a, 3],
        [b, 1],
      ]),
      nowMs,
    ),
  ).toBeLessThan(0);
});

test("available is ready for minReadySeconds; the wait until then is known", () => {
  const fresh = pod({ readyForMs: 4000 });
  expect(isPodAvailable(fresh, 0, nowMs)).toBe(true);
  expect(isPodAvailable(fresh, 5, nowMs)).toBe(false);
  expect(isPodAvailable(fresh, 4, nowMs)).toBe(true);
  expect(nextAvailabilityMs([fresh, pod({ readyForMs: -1 })], 5, nowMs)).toBe(1000);
  expect(nextAvailabilityMs([fresh], 0, nowMs)).toBeUndefined();
});
