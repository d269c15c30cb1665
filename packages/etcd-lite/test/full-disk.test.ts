/**
 * A disk that is full, and has room again: a small file system of its own. And a store that has
 * reached its quota.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, dial, etcd } from "@nanokube/rpc";
import { afterEach, describe, expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function mountSmall(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "etcd-lite-full-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  try {
    const options = ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path];
    execFileSync("mount", options, { stdio: "ignore" });
  } catch {
    return undefined;
  }
  cleanups.push(() => void execFileSync("umount", ["-l", path]));
  return path;
}

async function start(dataDir: string, flags: readonly string[] = []) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const urls = ["--listen-client-urls", url, "--advertise-client-urls", url];
  urls.push("--listen-peer-urls", "http://127.0.0.1:0");
  const args = ["--conditions=nanokube-source", main, "--data-dir", dataDir, ...urls, ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const channel = dial(url);
  const stop = async () => {
    channel.close();
    child.kill("SIGKILL");
    await exited;
  };
  cleanups.push(stop);
  const kv = createClient(channel, etcd.KV);
  const maintenance = createClient(channel, etcd.Maintenance);
  await kv.range({ key: Buffer.from("a") }, { waitForReady: true, timeoutMs: 20_000 });
  const told = (text: string) => log.split("\n").filter((line) => line.includes(text)).length;
  return { url, kv, maintenance, stop, told };
}

const noSpace = { code: 8, details: "etcdserver: mvcc: database space exceeded" };
const all = { key: Buffer.from("\0"), rangeEnd: Buffer.from("\0") };

const mounted = mountSmall();
const reason = mounted === undefined ? ": a file system cannot be mounted here" : "";

describe.skipIf(mounted === undefined)(`a full disk${reason}`, () => {
  test("refuses writes, reads on, loses nothing, and takes writes again", async () => {
    const mount = mountSmall()!;
    const dataDir = join(mount, "data");
    const { url, kv, maintenance, stop, told } = await start(dataDir);
    const acknowledged: string[] = [];
    let refusal: unknown;
    for (let i = 0; refusal === undefined && i < 200; i++) {
      const key = `key/${String(i).padStart(4, "0")}`;
      try {
        await kv.put({ key: Buffer.from(key), value: Buffer.alloc(100_000, "x") });
        acknowledged.push(key);
      } catch (error) {
        refusal = error;
      }
    }
    // Whether the write that met the full disk will be there is open; the ones after it will not.
    expect(refusal).toMatchObject({ code: 14, details: "etcdserver: request timed out" });
    await expect(kv.put({ key: Buffer.from("more") })).rejects.toMatchObject(noSpace);
    const stored = async () => {
      const { kvs } = await kv.range({ ...all, keysOnly: true });
      return kvs.map(({ key }) => String(key)).filter((key) => key.startsWith("key/"));
    };
    expect(await stored()).toEqual(acknowledged);
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(503);
    expect(await health.text()).toContain("DISK: ENOSPC");
    expect(told("the disk is full")).toBe(1);

    execFileSync("mount", ["-o", "remount,size=64m", mount]);
    const raised = async () => (await maintenance.alarm({}).catch(() => undefined))?.alarms ?? [];
    while ((await raised()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(kv.put({ key: Buffer.from("more") })).rejects.toMatchObject(noSpace);
    const [{ memberID }] = (await raised()) as [etcd.AlarmMember];
    await maintenance.alarm({ action: 2, memberID, alarm: 1 });
    await kv.put({ key: Buffer.from("key/9999") });
    const before = await stored();
    expect(before).toEqual(expect.arrayContaining(acknowledged));

    await stop();
    const again = await start(dataDir);
    const { kvs } = await again.kv.range({ ...all, keysOnly: true });
    expect(kvs.map(({ key }) => String(key))).toEqual(before);
  });
});

test("the quota raises the alarm; compaction, defragmentation and disarming make room", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "etcd-lite-quota-"));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const { url, kv, maintenance } = await start(dataDir, ["--quota-backend-bytes", "1000000"]);
  const put = () => kv.put({ key: Buffer.from("k"), value: Buffer.alloc(100_000) });
  let revision = 0;
  const refused = await (async () => {
    for (;;) {
      try {
        revision = (await put()).header!.revision;
      } catch (error) {
        return error;
      }
    }
  })();
  expect(refused).toMatchObject(noSpace);
  expect(revision).toBeGreaterThan(8);
  const { alarms } = await maintenance.alarm({});
  expect(alarms).toMatchObject([{ alarm: 1 }]);
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.json()]).toEqual([
    503,
    { health: "false", reason: "ALARM NOSPACE" },
  ]);
  expect((await fetch(`${url}/health?exclude=NOSPACE`)).status).toBe(200);
  expect((await kv.range({ key: Buffer.from("k") })).count).toBe(1);
  await kv.deleteRange({ key: Buffer.from("nothing") });
  await kv.compact({ revision, physical: true });
  await maintenance.defragment({});
  await expect(put()).rejects.toMatchObject(noSpace);
  await maintenance.alarm({ action: 2, memberID: alarms[0]!.memberID, alarm: 1 });
  await put();
});
