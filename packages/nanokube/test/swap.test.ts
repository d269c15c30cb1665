/** Upstream's programs in the place of ours: the same smoke test passes. */
import { afterEach, beforeEach, describe, test } from "vitest";
import { findUpstream } from "../src/io/machine.ts";
import { containersReason, TestCluster } from "./cluster.ts";
import { smoke } from "./smoke.ts";

describe.each([
  ["etcd", "etcd"],
  ["scheduler", "kube-scheduler"],
  ["controller-manager", "kube-controller-manager"],
])("upstream's %s", (component, program) => {
  const missing = findUpstream(program) === undefined ? `${program} not found` : undefined;
  const reason = containersReason ?? missing;
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
