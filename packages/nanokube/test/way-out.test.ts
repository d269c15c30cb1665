/** Pods speak to the world over TCP, and the machine forwards nothing for it. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProgram } from "../src/io/programs.ts";
import { containersReason, eventually, TestCluster } from "./cluster.ts";
import { leftovers } from "./leaks.ts";

/** Of the networks for documentation: a host that only this machine reaches, by a link of its own. */
const outside = "198.51.100.2";
const link = "nktestout";

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

describe.skipIf(containersReason !== undefined)(
  `the way out (${containersReason ?? "containerd"})`,
  () => {
    const cluster = new TestCluster();
    const directory = mkdtempSync(join(tmpdir(), "nanokube-outside-"));
    let before: ReturnType<typeof leftovers>;
    let host: ReturnType<typeof spawn>;

    beforeAll(async () => {
      before = leftovers();
      writeFileSync(join(directory, "index.html"), "the world\n");
      const serve = ["httpd", "-f", "-p", "8080", "-h", directory];
      host = spawn("unshare", ["--net", findProgram("busybox")!, ...serve], { stdio: "ignore" });
      const pid = String(host.pid);
      const own = run("readlink", "/proc/self/ns/net");
      await eventually(
        async () => run("readlink", `/proc/${pid}/ns/net`),
        (namespace) => namespace !== own,
      );
      run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", pid);
      run("ip", "addr", "add", "198.51.100.1/30", "dev", link);
      run("ip", "link", "set", link, "up");
      const inside = (...args: string[]) => run("nsenter", "-t", pid, "-n", "ip", ...args);
      inside("addr", "add", `${outside}/30`, "dev", "eth0");
      inside("link", "set", "eth0", "up");
      await cluster.up();
      await cluster.kubectl("run", "c", "--image=busybox:1.36", "--", "sleep", "3600");
      await cluster.kubectl("wait", "--for=condition=ready", "pod/c", "--timeout=60s");
    });

    afterAll(async () => {
      await cluster.destroy();
      host.kill("SIGKILL");
      spawnSync("ip", ["link", "del", link]);
      rmSync(directory, { recursive: true, force: true });
      expect(leftovers()).toEqual(before);
    });

    const inPod = (...command: string[]) => cluster.try(["exec", "c", "--", ...command]);
    const get = (url: string) => inPod("timeout", "8", "wget", "-q", "-O-", url);

    test("a pod reads from a host that does not know the pods' network", async () => {
      const answer = await eventually(
        () => get(`http://${outside}:8080/`),
        ({ code }) => code === 0,
      );
      expect(answer.stdout).toBe("the world\n");
    });

    test("what is not there is refused", async () => {
      expect((await get(`http://${outside}:9/`)).stderr).toMatch(/reset|refused|error getting/);
    });

    test("the cluster's own addresses and the machine's loopback are no way out", async () => {
      const node = await cluster.kubectl("get", "pod", "c", "-o", "jsonpath={.status.hostIP}");
      expect((await get(`http://${node}:15001/`)).stderr).toMatch(/reset|refused|error getting/);
      const gateway = node.replace(/\d+$/, "1");
      const ask = `printf 'CONNECT 127.0.0.1:22 HTTP/1.1\\r\\n\\r\\n' | nc -w 3 ${gateway} 3128`;
      expect((await inPod("sh", "-c", ask)).stdout).toContain("403 Forbidden");
    });
  },
);
