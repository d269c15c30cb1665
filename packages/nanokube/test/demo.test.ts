/** What `npm start` runs: the shop opens, on containers and, for other users, on child processes. */
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cli, cliArgv, containersReason, eventually, runCommand } from "./cluster.ts";
import { leftovers } from "./leaks.ts";
import { asNobody, nobody, otherReason } from "./other-user.ts";

describe("the demo", () => {
  let dir: string;
  let before: ReturnType<typeof leftovers>;
  beforeEach(() => {
    before = leftovers();
    dir = mkdtempSync(join(tmpdir(), "nanokube-cluster-"));
  });
  afterEach(async () => {
    await cli("down", "--data-dir", dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    expect(leftovers()).toEqual(before);
  });

  test.skipIf(containersReason !== undefined)(
    `opens on containers, and again from what it kept (${containersReason ?? "root"})`,
    async () => {
      const first = await cli("demo", "--once", "--data-dir", dir);
      expect(first.stderr).toBe("");
      expect(first.stdout).toContain("the shop is Available");
      expect(first.stdout).toMatch(/^stocktaking-\S+ +0\/1 +Completed/m);
      expect(first.stdout).toMatch(/^stopped$/m);
      const second = await cli("demo", "--once", "--data-dir", dir);
      expect(second.stdout).toContain("the shop is Available");
      expect(second.stdout).toMatch(/^store-0 +1\/1 +Running +[1-9]/m);
    },
  );

  test.skipIf(otherReason !== undefined)(
    `opens on child processes for another user (${otherReason ?? "nobody"})`,
    async () => {
      chownSync(dir, nobody, nobody);
      const argv = [...asNobody, ...cliArgv, "demo", "--once", "--data-dir", dir];
      const result = await runCommand(argv, { env: { HOME: dir }, timeoutMs: 120_000 });
      expect(result.stderr).toBe("");
      expect(result.stdout).toContain("pods run as child processes (cri-embedded), for: not root");
      expect(result.stdout).toContain("the shop is Available");
    },
  );

  test("stays until it is interrupted, and takes everything down", async () => {
    const flags = ["demo", "--runtime", "embedded", "--api-port", "16444", "--data-dir", dir];
    const [command, ...args] = [...cliArgv, ...flags] as [string, ...string[]];
    const child = spawn(command, args);
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    await eventually(
      async () => seen,
      (text) => text.includes("export KUBECONFIG="),
    );
    // Longer than the view's own pace, which must not be what ends it.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    expect(await exited).toBe(0);
    expect(seen).toMatch(/^stopped$/m);
  });

  test("without containers the same cluster runs embedded when told so", async () => {
    const flags = ["--once", "--runtime", "embedded", "--api-port", "16443", "--data-dir", dir];
    const result = await cli("demo", ...flags);
    expect(result.stderr).toBe("");
    expect(result.stdout).toContain("the shop is Available");
  });
});
