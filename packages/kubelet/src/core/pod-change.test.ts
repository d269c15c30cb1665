/** Which versions of a pod make its worker run. */
import type { Pod } from "@nanokube/api/core/v1";
import { expect, test } from "vitest";
import { asksForWork } from "./pod-change.ts";

const pod: Pod = {
  metadata: { name: "p", uid: "u", resourceVersion: "1", labels: { a: "1" } },
  spec: { containers: [{ name: "c", image: "i" }] },
  status: { phase: "Pending", conditions: [{ type: "Ready", status: "False" }] },
};
const cases: [string, Pod, boolean][] = [
  [
    "nothing but its version",
    { ...pod, metadata: { ...pod.metadata, resourceVersion: "2" } },
    false,
  ],
  ["what the kubelet wrote", { ...pod, status: { ...pod.status, phase: "Running" } }, false],
  [
    "another condition of the kubelet",
    { ...pod, status: { ...pod.status, conditions: [{ type: "Ready", status: "True" }] } },
    false,
  ],
  [
    "a readiness gate",
    { ...pod, status: { ...pod.status, conditions: [{ type: "x/gate", status: "True" }] } },
    true,
  ],
  ["somebody ended it", { ...pod, status: { ...pod.status, phase: "Failed" } }, true],
  ["a label", { ...pod, metadata: { ...pod.metadata, labels: { a: "2" } } }, true],
  ["its deletion", { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "t" } }, true],
  ["its spec", { ...pod, spec: { containers: [{ name: "c", image: "j" }] } }, true],
];

test.for(cases)("%s", ([, after, want]) => {
  expect(asksForWork(pod, after)).toBe(want);
});
