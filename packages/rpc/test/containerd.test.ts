/** grpc-go on the other side: a containerd of our own, spoken to over its unix socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "nanokube/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Channel, codes, createClient, cri, dial, etcd } from "../src/index.ts";

const program = findProgram("containerd");
const skip =
  program === undefined
    ? "containerd is not on the PATH"
    : process.getuid?.() === 0
      ? undefined
      : "containerd needs root";

describe.skipIf(skip !== undefined)(`containerd${skip === undefined ? "" : `: ${skip}`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "rpc-containerd-"));
  const socket = join(directory, "c.sock");
  let child: ChildProcess;
  let exited: Promise<void>;
  let channel: Channel;

  beforeAll(async () => {
    const config = [
      "version = 2",
      `root = "${directory}/root"`,
      `state = "${directory}/state"`,
      `[grpc]\naddress = "${socket}"`,
    ];
    writeFileSync(join(directory, "config.toml"), config.join("\n"));
    child = spawn(program!, ["--config", join(directory, "config.toml")], { stdio: "ignore" });
    exited = new Promise((resolve) => child.once("exit", () => resolve()));
    channel = dial(`unix://${socket}`);
  });
  afterAll(async () => {
    channel.close();
    child.kill("SIGKILL");
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });

  test("unary calls: :authority, framing and status are what grpc-go wants", async () => {
    const runtime = createClient(channel, cri.RuntimeService);
    const version = async () => {
      for (;;) {
        try {
          return await runtime.version({}, { waitForReady: true, timeoutMs: 20_000 });
        } catch (error) {
          // It serves before its CRI plugin is there.
          if ((error as { code?: number }).code !== codes.UNIMPLEMENTED) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    expect(await version()).toMatchObject({ runtimeName: "containerd", runtimeApiVersion: "v1" });
    expect((await runtime.listPodSandbox({})).items).toEqual([]);
    const { imageFsInfo } = createClient(channel, cri.ImageService);
    expect(await imageFsInfo({})).toBeDefined();
  });

  test("its refusals arrive with code and text", async () => {
    const runtime = createClient(channel, cri.RuntimeService);
    await expect(runtime.containerStatus({ containerId: "none" })).rejects.toMatchObject({
      code: codes.NOT_FOUND,
    });
    await expect(createClient(channel, etcd.KV).range({})).rejects.toMatchObject({
      code: codes.UNIMPLEMENTED,
      details: "unknown service etcdserverpb.KV",
    });
  });
});
