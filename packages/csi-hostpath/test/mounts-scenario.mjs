/** Runs in a mount namespace of its own, started by driver.test.ts: real bind mounts, and a driver that is killed in between. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codes, createClient, csi, dial } from "@nanokube/rpc";

const dir = process.argv[2];
const socket = join(dir, "csi.sock");
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

async function startDriver() {
  const flags = [
    "--endpoint",
    `unix://${socket}`,
    "--nodeid",
    "n1",
    "--statedir",
    join(dir, "state"),
  ];
  const child = spawn(process.execPath, ["--conditions=nanokube-source", main, ...flags], {
    stdio: "ignore",
  });
  const channel = dial(`unix://${socket}`);
  const identity = createClient(channel, csi.Identity);
  await identity.probe({}, { waitForReady: true, timeoutMs: 10_000 });
  return {
    controller: createClient(channel, csi.Controller),
    node: createClient(channel, csi.Node),
    async kill() {
      channel.close();
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

const code = (call) =>
  call.then(
    () => codes.OK,
    (error) => error.code,
  );
const mode = csi.VolumeCapability_AccessMode_Mode;
const capability = {
  mount: { mountFlags: ["noexec"] },
  accessMode: { mode: mode.SINGLE_NODE_WRITER },
};
const mounted = (target) => {
  const lines = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.map((line) => line.split(" ")).find((fields) => fields[4] === target)?.[5];
};

let driver = await startDriver();
const made = await driver.controller.createVolume({
  name: "web",
  volumeCapabilities: [capability],
});
const volumeId = made.volume.volumeId;
const [target, other] = [join(dir, "target"), join(dir, "other")];
const publish = { volumeId, volumeCapability: capability, stagingTargetPath: join(dir, "staging") };
await driver.node.nodeStageVolume(publish);
await driver.node.nodePublishVolume({ ...publish, targetPath: target });
fs.writeFileSync(join(target, "file"), "written by the pod");
assert.match(mounted(target), /noexec/);

await driver.kill();
driver = await startDriver();
await driver.node.nodePublishVolume({ ...publish, targetPath: target });
assert.equal(fs.readFileSync(join(target, "file"), "utf8"), "written by the pod");
assert.equal(
  await code(driver.node.nodePublishVolume({ ...publish, targetPath: target, readonly: true })),
  codes.ALREADY_EXISTS,
);
assert.equal(await code(driver.controller.deleteVolume({ volumeId })), codes.FAILED_PRECONDITION);

await driver.node.nodePublishVolume({ ...publish, targetPath: other, readonly: true });
assert.match(mounted(other), /^ro/);
assert.throws(() => fs.writeFileSync(join(other, "file"), "x"), /EROFS/);

for (const targetPath of [target, other, target])
  await driver.node.nodeUnpublishVolume({ volumeId, targetPath });
assert.equal(mounted(target) ?? mounted(other), undefined);
assert.equal(fs.existsSync(target), false);
await driver.node.nodeUnstageVolume({ volumeId, stagingTargetPath: join(dir, "staging") });
await driver.controller.deleteVolume({ volumeId });
await driver.controller.deleteVolume({ volumeId });

const inline = { volumeId: "csi-inline", volumeCapability: capability, targetPath: target };
await driver.node.nodePublishVolume({
  ...inline,
  volumeContext: { "csi.storage.k8s.io/ephemeral": "true" },
});
fs.writeFileSync(join(target, "file"), "x");
await driver.node.nodeUnpublishVolume({ volumeId: inline.volumeId, targetPath: target });
assert.deepEqual(fs.readdirSync(join(dir, "state", "volumes")), []);
await driver.kill();
console.log("all as it should be");
