/** Batches, cuts and lines of audit events, on a clock that is moved by hand. */
import { createFakeClock, type KubeObject } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { type AuditBackend, allOf, ignoringErrors } from "./backend.ts";
import { batching } from "./batch.ts";
import { legacyLine } from "./legacy-line.ts";
import { truncating } from "./truncate.ts";

const event = (n: number): KubeObject => ({ kind: "Event", apiVersion: "audit.k8s.io/v1", n });

function keeping(outcome = true) {
  const batches: KubeObject[][] = [];
  const backend: AuditBackend = {
    process: (events) => {
      batches.push([...events]);
      return outcome;
    },
    close: async () => undefined,
  };
  return { backend, sizes: () => batches.map(({ length }) => length), batches };
}

const settings = { bufferSize: 10, maxBatchSize: 3, maxWaitMs: 1000, throttle: undefined };

test("a batch goes when it is full, or when its time is over", async () => {
  const clock = createFakeClock();
  const kept = keeping();
  const batches = batching(kept.backend, settings, { clock, failed: () => undefined });
  for (let n = 0; n < 4; n++) batches.process([event(n)]);
  expect(kept.sizes()).toEqual([3]);
  await clock.step(999);
  expect(kept.sizes()).toEqual([3]);
  await clock.step(1);
  expect(kept.sizes()).toEqual([3, 1]);
});

test("more batches than allowed wait for a token; what does not fit is lost and told", async () => {
  const clock = createFakeClock();
  const kept = keeping();
  const lost: number[] = [];
  const throttle = { qps: 1, burst: 1 };
  const failed = (_: string, why: string, events: readonly KubeObject[]) => {
    expect(why).toBe("audit buffer queue blocked");
    lost.push(events.length);
  };
  const batches = batching(kept.backend, { ...settings, throttle }, { clock, failed });
  for (let n = 0; n < 15; n++) batches.process([event(n)]);
  expect([kept.sizes(), lost]).toEqual([[3], [1, 1]]);
  await clock.step(1000);
  expect(kept.sizes()).toEqual([3, 3]);
  await batches.close();
  expect(kept.sizes()).toEqual([3, 3, 3, 3, 1]);
});

test("who ignores errors has none; who does not tells them", () => {
  const bad = keeping(false).backend;
  expect(ignoringErrors(bad).process([event(1)])).toBe(true);
  expect(allOf([keeping().backend, bad]).process([event(1)])).toBe(false);
});

test("what is too large loses its objects, or is not written down", () => {
  const kept = keeping();
  const lost: KubeObject[] = [];
  const limits = { maxEventBytes: 220, maxBatchBytes: 300 };
  const cut = truncating(kept.backend, limits, (_, __, events) => lost.push(...events));
  const level = "RequestResponse";
  const large = { ...event(1), level, responseObject: { text: "x".repeat(300) } };
  const hopeless = { ...event(2), level: "Metadata", requestURI: "y".repeat(300) };
  cut.process([large, hopeless, { ...event(3), requestURI: "z".repeat(150) }]);
  expect(lost).toEqual([hopeless]);
  expect(kept.sizes()).toEqual([1, 1]);
  expect(kept.batches[0]![0]).toEqual({
    ...event(1),
    level,
    annotations: { "audit.k8s.io/truncated": "true" },
  });
});

test("a line of text", () => {
  const told = {
    auditID: "a1",
    stage: "ResponseComplete",
    verb: "get",
    requestURI: "/api",
    sourceIPs: ["10.0.0.1"],
    user: { username: "jane", groups: ["a", "b"] },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-11-21T10:00:00.120000Z",
  };
  expect(legacyLine(told as unknown as KubeObject)).toBe(
    '2026-11-21T10:00:00.12Z AUDIT: id="a1" stage="ResponseComplete" ip="10.0.0.1" method="get" user="jane" groups="\\"a\\",\\"b\\"" as="<self>" asgroups="<lookup>" user-agent="" namespace="<none>" uri="/api" response="200"',
  );
});
