/** What a status write takes away, and what it leaves alone. */
import { expect, test } from "vitest";
import { statusPatch } from "./status-patch.ts";

const ready = { type: "Ready", status: "True" };

test("fields that are over become null, addresses are whole", () => {
  const before = { phase: "Pending", reason: "x", podIPs: [{ ip: "10.0.0.1" }] };
  expect(statusPatch({ phase: "Running", podIPs: [{ ip: "10.0.0.2" }] }, before)).toEqual({
    phase: "Running",
    reason: null,
    podIPs: [{ $patch: "replace" }, { ip: "10.0.0.2" }],
  });
});

test("a condition of the kubelet that is over is deleted, one of others never", () => {
  const before = {
    conditions: [
      ready,
      { type: "PodResizeInProgress", status: "True" },
      { type: "DisruptionTarget", status: "True" },
    ],
  };
  expect(statusPatch({ conditions: [ready] }, before)).toEqual({
    conditions: [{ $patch: "delete", type: "PodResizeInProgress" }, ready],
  });
});
