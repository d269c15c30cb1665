/** What a cluster hangs on dies: it is said in one line, nothing leaks, and a new start heals it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cli, containersReason, eventually, TestCluster } from "./cluster.ts";
import { leftovers } from "./leaks.ts";

describe.skipIf(containersReason !== undefined)(
  `a dead runtime (${containersReason ?? "containerd"})`,
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

    const readiness = () => {
      const ready = '.status.conditions[?(@.type=="Ready")]';
      const path = `jsonpath={${ready}.status} {${ready}.message}`;
      return cluster.kubectl("get", "node", "n1", "-o", path);
    };

    test("the node says so, its containers live on, and `up` starts it again", async () => {
      await cluster.kubectl("run", "stay", "--image=busybox:1.36", "--", "sleep", "3600");
      await cluster.kubectl("wait", "--for=condition=ready", "pod/stay", "--timeout=60s");
      const record = JSON.parse(
        readFileSync(join(cluster.dataDir, "run", "n1-containerd.json"), "utf8"),
      ) as { pid: number };
      process.kill(record.pid, "SIGKILL");
      const said = await eventually(readiness, (text) => text.startsWith("False"), 90_000);
      expect(said).toMatch(/container runtime|PLEG/);
      await cluster.up();
      await eventually(readiness, (text) => text.startsWith("True"));
      const restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
      expect(await cluster.kubectl("get", "pod", "stay", "-o", restarts)).toBe("0");
      expect(await cluster.kubectl("exec", "stay", "--", "echo", "alive")).toBe("alive\n");
    });
  },
);

describe("a store that ends at once", () => {
  let dir: string;
  let before: ReturnType<typeof leftovers>;
  beforeEach(() => {
    before = leftovers();
    dir = mkdtempSync(join(tmpdir(), "nanokube-cluster-"));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
    expect(leftovers()).toEqual(before);
  });

  test("its last words are the reason", async () => {
    const etcd = join(dir, "etcd");
    writeFileSync(etcd, "#!/bin/sh\necho 'etcd: the disk is on fire' >&2\nexit 3\n", {
      mode: 0o755,
    });
    const flags = ["--runtime", "embedded", "--api-port", "16446", "--data-dir", join(dir, "data")];
    const result = await cli("up", "--detach", "--etcd", etcd, ...flags);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe("Error: etcd ended: etcd: the disk is on fire\n");
  });
});
