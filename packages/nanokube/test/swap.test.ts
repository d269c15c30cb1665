/** Upstream's programs in the place of ours, and our store in several: the same smoke test passes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { missingReason } from "../../conformance/src/upstream/cache.ts";
import { containersReason, TestCluster } from "./cluster.ts";
import { smoke } from "./smoke.ts";

/** 20 to 30 s each on a quiet machine, 90 s at a load of 90. */
const busyMs = 400_000;

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.destroy());

/** Each alone is the scorecard's (docs/scorecard-swaps.md); here all are in three clusters. */
describe.each([
  ["etcd", { etcd: "etcd" }],
  ["kubelet and kube-proxy", { kubelet: "kubelet", "kube-proxy": "kube-proxy" }],
])("upstream's %s", (_name, components) => {
  const reason = containersReason ?? missingReason(...Object.values(components));
  const flags = Object.keys(components).flatMap((component) => [`--${component}`, "upstream"]);

  test.skipIf(reason !== undefined)(
    `run our cluster (${reason ?? "all there"})`,
    async () => {
      await cluster.up(...flags);
      await smoke(cluster);
    },
    busyMs,
  );
});

describe("upstream's scheduler and controller-manager on three members of etcd-lite", () => {
  const reason = containersReason ?? missingReason("kube-scheduler", "kube-controller-manager");

  test.skipIf(reason !== undefined)(
    `lose one of them (${reason ?? "all there"})`,
    async () => {
      const programs = ["--scheduler", "upstream", "--controller-manager", "upstream"];
      await cluster.up(...programs, "--etcd-members", "3");
      // The API server is connected to this one.
      const lost = cluster.pid("etcd-1");
      process.kill(lost, "SIGKILL");
      await smoke(cluster);
      await cluster.up();
      expect(cluster.pid("etcd-1")).not.toBe(lost);
    },
    busyMs,
  );
});
