/** The kubelet alone on its real sockets, the API server faked: one table on every runtime. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createCriEmbedded } from "@nanokube/cri-embedded";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { createClient, cri } from "@nanokube/rpc";
import { beforeAll, describe, expect, test } from "vitest";
import { missingForContainerd, startContainerd } from "../../cri-embedded/test/containerd.ts";
import { cases } from "./cases.ts";
import { play } from "./play.ts";

const PLAY_MS = 300_000;

async function onEmbedded(): Promise<Record<string, unknown>> {
  const dir = mkdtempSync(join(tmpdir(), "nk-kubelet-"));
  const base = { clock: systemClock, random: systemRandom, log: nullLog };
  const runtime = createCriEmbedded({ ...base, rootDir: join(dir, "runtime") });
  const path = join(dir, "cri.sock");
  try {
    await runtime.server.listen({ path });
    const images = createClient(runtime.server.memory(), cri.ImageService);
    await images.pullImage({ image: { image: "busybox:latest" } });
    return await play(path, join(dir, "kubelet"));
  } finally {
    await runtime.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Everything runs inside the runtime's namespaces: mounts and addresses exist only there. */
async function onContainerd(): Promise<Record<string, unknown>> {
  const rig = await startContainerd();
  try {
    const script = new URL("./play.ts", import.meta.url).pathname;
    const node = [process.execPath, "--conditions=nanokube-source", script];
    const dir = join(rig.dir, "kubelet");
    const [command = "", ...args] = rig.inside([...node, rig.socket, dir]);
    const cwd = new URL("../../..", import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(command, args, {
      timeout: PLAY_MS,
      maxBuffer: 1 << 24,
      cwd,
    });
    return JSON.parse(stdout) as Record<string, unknown>;
  } finally {
    await rig.stop();
  }
}

const subjects = [
  { name: "cri-embedded", skip: undefined, run: onEmbedded },
  { name: "containerd", skip: missingForContainerd(), run: onContainerd },
];

/** All runtimes at once, when the first of them is asked for. */
let plays: Record<string, Promise<Record<string, unknown>>> | undefined;

function playEverywhere(): Record<string, Promise<Record<string, unknown>>> {
  const possible = subjects.filter(({ skip }) => skip === undefined);
  const started = Object.fromEntries(possible.map(({ name, run }) => [name, run()]));
  // Each is looked at by its own tests, however long the one before it takes.
  for (const play of Object.values(started)) play.catch(() => {});
  return started;
}

describe.each(subjects)("$name", ({ name: subject, skip }) => {
  describe.skipIf(skip !== undefined)(skip ?? "pods", () => {
    let seen: Record<string, unknown> = {};
    beforeAll(async () => {
      plays ??= playEverywhere();
      seen = (await plays[subject]) ?? {};
    }, PLAY_MS);

    test.for(cases)("$name", ({ name, want }) => {
      expect(seen[name]).toEqual(want);
    });
  });
});
