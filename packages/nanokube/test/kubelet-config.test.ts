/** What a user's KubeletConfiguration does to the nodes, and what it may not say. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, eventually, TestCluster } from "./cluster.ts";

const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

describe("a KubeletConfiguration that is refused", () => {
  const cases: [string, string][] = [
    ["evictionHard: { memory.available: lots }", "quantities must match the regular"],
    ["nodeStatusUpdateFrequency: 1s", "nodeStatusUpdateFrequency: not implemented"],
    ["clusterDomain: example.org", "clusterDomain: nanokube decides it for each node"],
    ["imageMinimumGCAge: soon", 'imageMinimumGCAge: invalid duration "soon"'],
    ["evictionHrad: {}", 'unknown field "evictionHrad"'],
  ];

  test.for(cases)("%s", async ([line, want]) => {
    const dir = mkdtempSync(join(tmpdir(), "nanokube-kubelet-"));
    const file = join(dir, "kubelet.yaml");
    writeFileSync(file, head + line);
    const flags = ["--runtime", "embedded", "--data-dir", join(dir, "data")];
    const result = await cli("up", "--detach", ...flags, "--kubelet-config", file);
    rmSync(dir, { recursive: true, force: true });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(`Error: --kubelet-config ${file}: `);
    expect(result.stderr).toContain(want);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("nodes with a KubeletConfiguration", () => {
  const cluster = new TestCluster();
  afterAll(() => cluster.destroy());

  beforeAll(async () => {
    const file = join(cluster.dataDir, "kubelet.yaml");
    // Whatever the machine has, it is less than all.
    writeFileSync(file, `${head}evictionHard: { memory.available: 99% }\nmaxPods: 17\n`);
    const flags = ["--runtime", "embedded", "--api-port", "16450"];
    await cluster.up(...flags, "--kubelet-config", file);
  });

  test("are short of memory when it says so, and take in no pods", async () => {
    const pressure = "jsonpath={.status.conditions[?(@.type=='MemoryPressure')].status}";
    const ask = () => cluster.kubectl("get", "node", "n1", "-o", pressure);
    await eventually(ask, (status) => status === "True");
    const overrides = JSON.stringify({ spec: { nodeName: "n1" } });
    await cluster.kubectl("run", "late", "--image=busybox:1.36", `--overrides=${overrides}`);
    const why = "jsonpath={.status.phase} {.status.reason} {.status.message}";
    const outcome = await eventually(
      () => cluster.kubectl("get", "pod", "late", "-o", why),
      (text) => text.startsWith("Failed"),
    );
    const message = "Pod was rejected: The node had condition: [MemoryPressure]. ";
    expect(outcome).toBe(`Failed Evicted ${message}`);
  });

  test("show it, with upstream's values for what it leaves out", async () => {
    const raw = await cluster.kubectl("get", "--raw", "/api/v1/nodes/n1/proxy/configz");
    const { kubeletconfig } = JSON.parse(raw) as { kubeletconfig: Record<string, unknown> };
    expect(kubeletconfig).toMatchObject({
      evictionHard: { "memory.available": "99%" },
      evictionPressureTransitionPeriod: "5m0s",
      imageGCHighThresholdPercent: 85,
      imageGCLowThresholdPercent: 80,
      imageMinimumGCAge: "2m0s",
      maxPods: 17,
    });
    const capacity = "jsonpath={.status.capacity.pods}";
    expect(await cluster.kubectl("get", "node", "n1", "-o", capacity)).toBe("17");
  });
});
