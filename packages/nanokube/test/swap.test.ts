/** Upstream's programs in the place of ours: the same smoke test passes. */
import { afterEach, beforeEach, describe, test } from "vitest";
import { missingReason } from "../../conformance/src/upstream/cache.ts";
import { containersReason, TestCluster } from "./cluster.ts";
import { smoke } from "./smoke.ts";

describe.each([
  ["etcd", "etcd"],
  ["scheduler", "kube-scheduler"],
  ["controller-manager", "kube-controller-manager"],
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
