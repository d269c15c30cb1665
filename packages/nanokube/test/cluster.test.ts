/** One cluster of one node with real containers: smoke, restart, crash, and nothing left behind. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, containersReason, eventually, TestCluster } from "./cluster.ts";
import { leftovers } from "./leaks.ts";
import { smoke } from "./smoke.ts";

describe.skipIf(containersReason !== undefined)(
  `a cluster (${containersReason ?? "containerd"})`,
  () => {
    const cluster = new TestCluster();
    let before: ReturnType<typeof leftovers>;

    beforeAll(async () => {
      before = leftovers();
      await cluster.up();
    });

    afterAll(async () => {
      await cluster.destroy();
      expect(leftovers()).toEqual(before);
    });

    test("does what any cluster must", async () => {
      await smoke(cluster);
    });

    test("a node's kube-proxy says that it is well, and when it last wrote rules", async () => {
      const address = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}";
      const node = await cluster.kubectl("get", "nodes", "-o", address);
      const answer = await fetch(`http://${node}:10256/healthz`);
      expect(answer.status).toBe(200);
      const health = (await answer.json()) as { lastUpdated: string; nodeEligible: boolean };
      expect(health.nodeEligible).toBe(true);
      expect(Date.parse(health.lastUpdated)).not.toBeNaN();
    });

    test("keeps what it acknowledged when the control plane is killed", async () => {
      await cluster.kubectl("create", "configmap", "kept", "--from-literal=a=1");
      const record = JSON.parse(
        readFileSync(join(cluster.dataDir, "run", "control-plane.json"), "utf8"),
      ) as { pid: number };
      process.kill(record.pid, "SIGKILL");
      await cluster.up();
      expect(await cluster.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}")).toBe(
        "1",
      );
    });

    test("brings pods back after down and up", async () => {
      await cluster.kubectl(
        "run",
        "stay",
        "--image=busybox:1.36",
        "--restart=Always",
        "--",
        "sleep",
        "3600",
      );
      await cluster.kubectl("wait", "--for=condition=ready", "pod/stay", "--timeout=60s");
      await cluster.down();
      await cluster.up();
      await eventually(
        () =>
          cluster.kubectl(
            "get",
            "pod",
            "stay",
            "-o",
            "jsonpath={.status.containerStatuses[0].restartCount}{.status.containerStatuses[0].ready}",
          ),
        (answer) => answer === "1true",
      );
      await cluster.kubectl("delete", "pod", "stay", "--grace-period=1");
    });

    test("shows itself and traces a pod", async () => {
      await cluster.kubectl("run", "seen", "--image=busybox:1.36", "--", "sleep", "3600");
      await cluster.kubectl("wait", "--for=condition=ready", "pod/seen", "--timeout=60s");
      const status = await cli("status", "--data-dir", cluster.dataDir);
      expect(status.stdout).toMatch(/^control-plane +running/m);
      expect(status.stdout).toMatch(/^n1 +Ready/m);
      expect(status.stdout).toMatch(/^default +seen +1\/1 +Running/m);
      const trace = await cli("trace", "pod/seen", "--data-dir", cluster.dataDir);
      const hops = trace.stdout
        .split("\n")
        .slice(1)
        .map((line) => line.split(/ {2,}/)[1]);
      expect(hops).toEqual(
        expect.arrayContaining(["apiserver.store", "scheduler.bind", "kubelet.sync"]),
      );
      await cluster.kubectl("delete", "pod", "seen", "--grace-period=1");
    });
  },
);
