/** A data directory on a disk that fills up: refused in one line, and nothing acknowledged is lost. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configMaps } from "@nanokube/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clusterClient } from "../src/io/cluster-client.ts";
import { DataDir } from "../src/io/data-dir.ts";
import { cli } from "./cluster.ts";
import { leftovers } from "./leaks.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const flags = ["--detach", "--runtime", "embedded", "--api-port", "16447"];

describe.skipIf(!isRoot)(`a full disk${isRoot ? "" : " (needs root, to mount one)"}`, () => {
  let disk: string;
  let data: string;
  let before: ReturnType<typeof leftovers>;

  const mount = (size: string) =>
    spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk]);

  beforeEach(() => {
    before = leftovers();
    disk = mkdtempSync(join(tmpdir(), "nanokube-cluster-"));
    data = join(disk, "data");
  });
  afterEach(async () => {
    await cli("down", "--data-dir", data);
    spawnSync("umount", [disk]);
    rmSync(disk, { recursive: true, force: true });
    expect(leftovers()).toEqual(before);
  });

  test.each(["8k", "40k", "200k"])("a start with %s of space", async (size) => {
    mount(size);
    const result = await cli("up", ...flags, "--data-dir", data);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^Error: [^\n]*no space left on device\n$/);
    // With space there is nothing half-written in the way.
    spawnSync("mount", ["-o", "remount,size=64m", disk]);
    const again = await cli("up", ...flags, "--data-dir", data);
    expect(again).toMatchObject({ code: 0, stderr: "" });
  });

  function fill(): string {
    const file = join(disk, "fill");
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(file, new Uint8Array(bavail * bsize));
    return file;
  }

  test("a cluster that runs out of space, and gets it back", async () => {
    mount("32m");
    expect((await cli("up", ...flags, "--data-dir", data)).stderr).toBe("");
    const client = await clusterClient(new DataDir(data));
    const api = client.resource(configMaps).namespace("default");
    const make = (name: string) =>
      api.create({ metadata: { name }, data: { text: name.repeat(1000) } });
    await make("before");
    const file = fill();
    const kept = ["before"];
    let refusal: Error | undefined;
    for (let i = 0; i < 400 && refusal === undefined; i += 1) {
      const name = `full-${i}`;
      await api
        .create({ metadata: { name }, data: { text: "x".repeat(500_000) } })
        .then(() => kept.push(name))
        .catch((error: Error) => {
          refusal = error;
        });
    }
    // A store that cannot write answers late, with a refusal, or by ending, as etcd does: never that
    // it has written.
    expect(refusal?.message).toMatch(
      /no space|database space exceeded|timed out|Stream closed|ECONNRE|socket/,
    );
    rmSync(file);
    await cli("down", "--data-dir", data);
    expect((await cli("up", ...flags, "--data-dir", data)).stderr).toBe("");
    const fresh = (await clusterClient(new DataDir(data))).resource(configMaps);
    const names = (await fresh.namespace("default").list()).items.map((o) => o.metadata?.name);
    expect(names).toEqual(expect.arrayContaining(kept));
    await fresh.namespace("default").create({ metadata: { name: "after" } });
  });
});
