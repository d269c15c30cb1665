/** Upstream's programs in the place of ours, and our store in several: the same smoke test passes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { missingReason } from "../../conformance/src/upstream/cache.ts";
import { containersReason, TestCluster } from "./cluster.ts";
import { smoke } from "./smoke.ts";

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.destroy());

/** Each alone is the scorecard's (docs/scorecard-swaps.md); here each is in one cluster. */
describe.each([
  ["etcd", { etcd: "etcd" }],
  [
    "scheduler and controller-manager",
    { scheduler: "kube-scheduler", "controller-manager": "kube-controller-manager" },
  ],
  ["kubelet and kube-proxy", { kubelet: "kubelet", "kube-proxy": "kube-proxy" }],
])("upstream's %s", (_name, components) => {
  const reason = containersReason ?? missingReason(...Object.values(components));
  const flags = Object.keys(components).flatMap((component) => [`--${component}`, "upstream"]);

  test.skipIf(reason !== undefined)(`run our cluster (${reason ?? "all there"})`, async () => {
    await cluster.up(...flags);
    await smoke(cluster);
  });
});

test.skipIf(containersReason !== undefined)(
  `etcd-lite as three members, of which one is lost (${containersReason ?? "all there"})`,
  async () => {
    await cluster.up("--etcd-members", "3");
    // The API server is connected to this one.
    const lost = cluster.pid("etcd-1");
    process.kill(lost, "SIGKILL");
    await smoke(cluster);
    await cluster.up();
    expect(cluster.pid("etcd-1")).not.toBe(lost);
  },
);
