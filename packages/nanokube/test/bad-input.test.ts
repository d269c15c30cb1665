/** Wrong flags, files and machines: one clear line, a non-zero exit, nothing started. */
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cli, cliArgv, containersReason, eventually, runCommand } from "./cluster.ts";
import { leftovers } from "./leaks.ts";
import { asNobody, nobody, otherReason } from "./other-user.ts";

describe("bad input", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "nanokube-bad-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const cases: [string, string[], string][] = [
    ["an unknown command", ["upp"], "unknown command 'upp'"],
    ["an unknown flag", ["up", "--node", "3"], "unknown option '--node'"],
    ["no node at all", ["up", "--nodes", "0"], "must be 1 or more"],
    ["more nodes than addresses", ["up", "--nodes", "1000"], "must be 200 or less"],
    ["a place for no directory", ["up", "--data-dir", "/proc/x"], "mkdir /proc/x: no such file"],
    ["a port that is none", ["up", "--api-port", "70000"], "must be a port between 1 and 65535"],
    ["more etcds than help", ["up", "--etcd-members", "10"], "must be between 1 and 9"],
    [
      "a runtime nobody has",
      ["up", "--runtime", "docker"],
      "Allowed choices are containerd, embedded",
    ],
    [
      "an object that is no pod",
      ["trace", "service/web"],
      '"service/web" is not of the form pod/NAME',
    ],
  ];

  test.for(cases)("%s", async ([, args, want]) => {
    const result = await cli(...args);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(want);
    expect(result.stdout).toBe("");
  });

  test.for([["status"], ["down"], ["node", "stop", "n1"], ["image", "list"]])(
    "a directory without a cluster: %s",
    async (args) => {
      const result = await cli(...args, "--data-dir", dir);
      expect(result).toMatchObject({
        code: 1,
        stderr: `Error: ${dir} holds no cluster: run "nanokube up"\n`,
      });
    },
  );

  test("a state file that is damaged", async () => {
    writeFileSync(join(dir, "cluster.json"), '{"version": 1, "nodes": [');
    const result = await cli("status", "--data-dir", dir);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${join(dir, "cluster.json")}: `);
  });

  test("a port in use", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
    );
    const flags = ["--runtime", "embedded", "--api-port", String(port), "--data-dir", dir];
    const result = await cli("up", "--detach", ...flags);
    server.close();
    expect(result).toMatchObject({
      code: 1,
      stderr: `Error: listen tcp 127.0.0.1:${port}: bind: address already in use\n`,
    });
  });

  test("a start that fails is not what the next one continues with", async () => {
    const flags = ["--detach", "--runtime", "embedded", "--api-port", "16447", "--data-dir", dir];
    const failed = await cli("up", ...flags, "--etcd", "/bin/true");
    expect(failed).toMatchObject({ code: 1, stderr: "Error: etcd ended: it said nothing\n" });
    expect(readdirSync(dir)).not.toContain("cluster.json");
  });

  test("a control plane whose launcher is gone before all is ready for it", async () => {
    const state = { version: 1, mode: "embedded", slot: 0, nodes: [], apiHost: "127.0.0.1" };
    const components = { etcd: "own" };
    writeFileSync(
      join(dir, "cluster.json"),
      JSON.stringify({ ...state, apiPort: 16447, components }),
    );
    const program = fileURLToPath(new URL("../src/control-plane/main.ts", import.meta.url));
    const argv = [process.execPath, "--conditions=nanokube-source", program, dir];
    const result = await runCommand(argv, { input: "" });
    expect(result.code).toBe(1);
    expect(result.stdout).toContain("the launcher ended before the certificates were made");
  });

  test("what a kept cluster cannot be", async () => {
    const kept = { version: 1, mode: "embedded", slot: 0, nodes: [1, 2], components: {} };
    writeFileSync(join(dir, "cluster.json"), JSON.stringify({ ...kept, apiPort: 16448 }));
    const fewer = await cli("up", "--detach", "--nodes", "1", "--data-dir", dir);
    expect(fewer.code).toBe(1);
    expect(fewer.stderr).toBe(
      `Error: --nodes 1: the cluster in ${dir} has 2; "down --purge" ends it\n`,
    );
    const other = await cli("up", "--detach", "--runtime", "containerd", "--data-dir", dir);
    expect(other.code).toBe(1);
    expect(other.stderr).toBe(
      `Error: --runtime containerd: the cluster in ${dir} has embedded; "down --purge" ends it\n`,
    );
    const more = await cli("up", "--detach", "--etcd-members", "3", "--data-dir", dir);
    expect(more.code).toBe(1);
    expect(more.stderr).toContain("--etcd-members 3: the cluster");
    const kubelet = await cli("up", "--detach", "--kubelet", "/bin/true", "--data-dir", dir);
    expect(kubelet).toMatchObject({
      code: 1,
      stderr:
        "Error: --kubelet /bin/true: it needs containers, and pods are child processes here\n",
    });
  });

  describe.skipIf(otherReason !== undefined)(`as another user (${otherReason ?? "nobody"})`, () => {
    const asked = (...args: string[]) =>
      runCommand([...asNobody, ...cliArgv, ...args], { env: { HOME: dir } });

    test("a data directory of somebody else", async () => {
      const data = join(dir, "data");
      const result = await asked("up", "--detach", "--data-dir", data);
      expect(result).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `Error: mkdir ${data}: permission denied\n`,
      });
    });

    test("real containers", async () => {
      chownSync(dir, nobody, nobody);
      const flags = ["--runtime", "containerd", "--data-dir", dir];
      const result = await asked("up", "--detach", ...flags);
      expect(result).toMatchObject({
        code: 1,
        stdout: "",
        stderr: "Error: --runtime containerd is not possible here: not root\n",
      });
    });
  });

  describe.each([
    ["on containers", containersReason, ["--nodes", "2"]],
    ["on child processes", undefined, ["--runtime", "embedded", "--api-port", "16449"]],
  ])("a start that is interrupted %s", (_where, reason, flags) => {
    test.skipIf(reason !== undefined)(`leaves nothing (${reason ?? "both signals"})`, async () => {
      const before = leftovers();
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const [command, ...args] = [...cliArgv, "up", "--data-dir", dir, ...flags];
        const child = spawn(command!, args, { stdio: "ignore" });
        const exited = new Promise((resolve) => child.once("exit", resolve));
        // The control plane is there, the nodes are being made.
        await eventually(
          async () => readdirSync(join(dir, "run")),
          (names) => names.includes("control-plane.json"),
        );
        child.kill(signal);
        expect(await exited).toBe(130);
        // Nothing of its own; what others have on this machine meanwhile comes and goes.
        expect(leftovers().processes!.filter((argv) => argv.includes(dir))).toEqual([]);
        expect(leftovers().mounts!.filter((mount) => mount.includes(dir))).toEqual([]);
        await expect.poll(leftovers, { timeout: 60_000, interval: 1000 }).toEqual(before);
        rmSync(join(dir, "run"), { recursive: true });
      }
    });
  });

  test("an image file that is none", async () => {
    writeFileSync(join(dir, "x.tar"), "no tar");
    writeFileSync(
      join(dir, "cluster.json"),
      JSON.stringify({ version: 1, mode: "embedded", slot: 0, nodes: [], components: {} }),
    );
    const result = await cli("image", "load", join(dir, "x.tar"), "--data-dir", dir);
    expect(result.code).toBe(1);
    expect(result.stderr.split("\n")).toHaveLength(2);
  });
});
