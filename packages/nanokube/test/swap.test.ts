/** Upstream's programs in the place of ours: the same smoke test passes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { missingReason } from "../../conformance/src/upstream/cache.ts";
import { containersReason, TestCluster } from "./cluster.ts";
import { smoke } from "./smoke.ts";

describe.each([
  ["etcd", "etcd"],
  ["scheduler", "kube-scheduler"],
  ["controller-manager", "kube-controller-manager"],
  ["kubelet", "kubelet"],
])("upstream's %s", (component, program) => {
  const reason = containersReason ?? missingReason(program);
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.destroy());

  test.skipIf(reason !== undefined)(`runs our cluster (${reason ?? program})`, async () => {
    await cluster.up(`--${component}`, "upstream");
    await smoke(cluster);
  });
});

describe("etcd-lite as three members", () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.destroy());

  test.skipIf(containersReason !== undefined)(
    `runs our cluster, also when one is lost (${containersReason ?? "three processes"})`,
    async () => {
      await cluster.up("--etcd-members", "3");
      // The one that the API server is connected to.
      const lost = cluster.pid("etcd-1");
      process.kill(lost, "SIGKILL");
      await smoke(cluster);
      await cluster.up();
      expect(cluster.pid("etcd-1")).not.toBe(lost);
    },
  );
});
