/** What csi-sanity does not ask: restarts after a crash at any step, confinement, room, registration, and volumes in use. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Exec, nullLog } from "@nanokube/machinery";
import { codes, createClient, csi, dial, pluginRegistration } from "@nanokube/rpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type CsiHostpath,
  type CsiHostpathOptions,
  createCsiHostpath,
  deployment,
} from "../src/index.ts";

let dir: string;
const open: CsiHostpath[] = [];
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "nk-test-csi-"));
});
afterEach(async () => {
  for (const driver of open.splice(0)) await driver.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const exec: Exec = async (argv) => {
  const { status, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), { encoding: "utf8" });
  return { stdout, stderr, code: status ?? -1 };
};

function start(options: Partial<CsiHostpathOptions> = {}) {
  const dataDir = join(dir, "state");
  const driver = createCsiHostpath({
    dataDir,
    nodeID: "n1",
    driverName: "hostpath.test",
    exec,
    log: nullLog,
    ...options,
  });
  open.push(driver);
  const channel = driver.server.memory();
  return {
    driver,
    controller: createClient(channel, csi.Controller),
    node: createClient(channel, csi.Node),
  };
}

const { SINGLE_NODE_WRITER, MULTI_NODE_MULTI_WRITER } = csi.VolumeCapability_AccessMode_Mode;
const mount = { mount: {}, accessMode: { mode: SINGLE_NODE_WRITER } };
const ask = (name: string, requiredBytes = 1024) => ({
  name,
  capacityRange: { requiredBytes },
  volumeCapabilities: [mount],
});
const refusal = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (e: { code: number; details: string }) => e,
  );
  const name = Object.entries(codes).find(([, code]) => code === error?.code)?.[0];
  return `${name} ${error?.details}`;
};
const volumes = () => fs.readdirSync(join(dir, "state", "volumes"));

test("volumes survive a restart, and what a crash left is swept away", async () => {
  const first = start();
  const { volume } = await first.controller.createVolume(ask("web"));
  const data = join(dir, "state", "volumes", volume!.volumeId, "data");
  fs.writeFileSync(join(data, "file"), "kept");
  fs.mkdirSync(join(dir, "state", "volumes", ".new-half", "data"), { recursive: true });
  fs.mkdirSync(join(dir, "state", "volumes", ".gone-half", "data"), { recursive: true });
  const second = start();
  expect(volumes()).toEqual([volume!.volumeId]);
  expect(await second.controller.createVolume(ask("web"))).toEqual({ volume });
  expect(fs.readFileSync(join(data, "file"), "utf8")).toBe("kept");
  expect(await refusal(second.controller.createVolume(ask("web", 4096)))).toBe(
    "ALREADY_EXISTS Volume with the same name: web but with different size already exist",
  );
});

test("the same name asked for many times at once is one volume", async () => {
  const { controller } = start();
  const made = await Promise.all(
    Array.from({ length: 20 }, () => controller.createVolume(ask("web"))),
  );
  expect(new Set(made.map((m) => m.volume?.volumeId)).size).toBe(1);
  expect(volumes()).toHaveLength(1);
});

test("clones and snapshots hold what was there", async () => {
  const { controller } = start();
  const { volume } = await controller.createVolume(ask("web"));
  const sourceVolumeId = volume!.volumeId;
  const file = (id: string) => join(dir, "state", "volumes", id, "data", "file");
  fs.writeFileSync(file(sourceVolumeId), "one");
  const { snapshot } = await controller.createSnapshot({ name: "snap", sourceVolumeId });
  fs.writeFileSync(file(sourceVolumeId), "two");
  const from = async (name: string, source: object) =>
    (await controller.createVolume({ ...ask(name), volumeContentSource: source })).volume!.volumeId;
  const restored = await from("a", { snapshot: { snapshotId: snapshot!.snapshotId } });
  const cloned = await from("b", { volume: { volumeId: sourceVolumeId } });
  expect(fs.readFileSync(file(restored), "utf8")).toBe("one");
  expect(fs.readFileSync(file(cloned), "utf8")).toBe("two");
});

describe("refusals", () => {
  const topology = {
    requisite: [{ segments: { "topology.hostpath.csi/node": "n2" } }],
    preferred: [],
  };
  test.for([
    [{ parameters: { typo: "x" } }, "INVALID_ARGUMENT unknown parameters: typo"],
    [
      { accessibilityRequirements: topology },
      "RESOURCE_EXHAUSTED none of the requested topologies is node n1",
    ],
    [
      { capacityRange: { requiredBytes: 2 ** 41 } },
      /^OUT_OF_RANGE Requested capacity 2199023255552 exceeds maximum/,
    ],
    [
      { capacityRange: { requiredBytes: 9000 } },
      /^RESOURCE_EXHAUSTED requested capacity 9000 exceeds remaining/,
    ],
    [
      { volumeCapabilities: [{ mount: {}, accessMode: { mode: MULTI_NODE_MULTI_WRITER } }] },
      /^INVALID_ARGUMENT access mode MULTI_NODE_MULTI_WRITER is not supported/,
    ],
    [
      { volumeContentSource: { snapshot: { snapshotId: "../../etc" } } },
      "NOT_FOUND cannot find snapshot ../../etc",
    ],
  ] as const)("CreateVolume %#", async ([change, want]) => {
    const { controller } = start({ capacityBytes: 8192 });
    const said = await refusal(
      controller.createVolume({ ...ask("web"), ...change } as csi.CreateVolumeRequest),
    );
    if (want instanceof RegExp) expect(said).toMatch(want);
    else expect(said).toBe(want);
    expect(volumes()).toEqual([]);
  });

  test("ids and paths stay where they belong", async () => {
    const { controller, node } = start();
    fs.mkdirSync(join(dir, "precious"));
    expect(await controller.deleteVolume({ volumeId: "../../precious" })).toEqual({});
    expect(fs.existsSync(join(dir, "precious"))).toBe(true);
    const publish = { volumeId: "x", volumeCapability: mount, stagingTargetPath: "/s" };
    expect(await refusal(node.nodePublishVolume({ ...publish, targetPath: "/a/../etc" }))).toBe(
      'INVALID_ARGUMENT not an absolute path: "/a/../etc"',
    );
    const ephemeral = {
      volumeId: "../../x",
      volumeContext: { "csi.storage.k8s.io/ephemeral": "true" },
    };
    expect(
      await refusal(node.nodePublishVolume({ ...publish, ...ephemeral, targetPath: "/tmp/x" })),
    ).toMatch(/^INVALID_ARGUMENT not a volume id/);
  });

  test("what the driver does not have is UNIMPLEMENTED", async () => {
    const { controller } = start();
    expect(await refusal(controller.controllerPublishVolume({ volumeId: "x" }))).toMatch(
      /^UNIMPLEMENTED/,
    );
  });
});

test("without the rights to mount, volumes are links; published together, none is forgotten", async () => {
  const { controller, node } = start({ publishByLink: true });
  const targets = Array.from({ length: 10 }, (_, i) => join(dir, "pods", `p${i}`, "mount"));
  const publish = async (targetPath: string, i: number) => {
    const { volume } = await controller.createVolume(ask(`v${i}`));
    const request = { volumeId: volume!.volumeId, volumeCapability: mount, targetPath };
    await node.nodePublishVolume({ ...request, stagingTargetPath: "/s" });
    return request;
  };
  const published = await Promise.all(targets.map(publish));
  fs.writeFileSync(join(targets[0]!, "file"), "x");
  const restarted = start({ publishByLink: true });
  for (const { volumeId, targetPath } of published) {
    expect(await refusal(restarted.controller.deleteVolume({ volumeId }))).toMatch(
      /^FAILED_PRECONDITION/,
    );
    await restarted.node.nodeUnpublishVolume({ volumeId, targetPath });
    expect(await restarted.controller.deleteVolume({ volumeId })).toEqual({});
  }
  expect(volumes()).toEqual([]);
  expect(fs.existsSync(targets[0]!)).toBe(false);
});

test("a kubelet finds the driver by its registration socket", async () => {
  const { driver } = start();
  const path = join(dir, "plugins", "csi.sock");
  const registrationDir = join(dir, "plugins_registry");
  await driver.listen({ path, registrationDir });
  const channel = dial(`unix://${join(registrationDir, "hostpath.test-reg.sock")}`);
  const registration = createClient(channel, pluginRegistration.Registration);
  const info = await registration.getInfo({});
  expect(info).toEqual({
    type: "CSIPlugin",
    name: "hostpath.test",
    endpoint: path,
    supportedVersions: ["1.0.0"],
  });
  await registration.notifyRegistrationStatus({ pluginRegistered: true });
  const plugin = dial(`unix://${info.endpoint}`);
  const answer = await createClient(plugin, csi.Node).nodeGetInfo({});
  expect(answer.accessibleTopology?.segments).toEqual({ "topology.hostpath.csi/node": "n1" });
  channel.close();
  plugin.close();
});

test("a claim of the default class waits for its pod's node", () => {
  const [driver, storageClass] = deployment({ driverName: "hostpath.test" });
  expect(driver).toMatchObject({ kind: "CSIDriver", spec: { attachRequired: false } });
  expect(storageClass).toMatchObject({
    kind: "StorageClass",
    metadata: {
      name: "standard",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: "hostpath.test",
    volumeBindingMode: "WaitForFirstConsumer",
  });
});

const isRoot = process.getuid?.() === 0;
test.skipIf(!isRoot)(
  "mounts: read-only, repeated, in use, after kill -9, ephemeral (needs root)",
  { timeout: 60_000 },
  async () => {
    const scenario = fileURLToPath(new URL("./mounts-scenario.mjs", import.meta.url));
    const argv = [
      "--mount",
      "--propagation",
      "private",
      process.execPath,
      "--conditions=nanokube-source",
      scenario,
      dir,
    ];
    const child = spawn("unshare", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(output).toBe("all as it should be\n");
    expect(code).toBe(0);
  },
);
