/**
 * The drill: three members, two are lost for good. The one that is left says so, answers nothing
 * stale, and then everything is there again three ways: restored by etcd-lite into three members, by
 * etcdutl for etcd, and by the survivor going on alone.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Channel, createClient, dial, etcd } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../../conformance/src/subjects/free-ports.ts";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const lite = [process.execPath, "--conditions=nanokube-source", main];
const skip = missingReason("etcd") ?? missingReason("etcdutl");
const names = ["a", "b", "c"];
const keyCount = 300;
const text = (s: string) => Buffer.from(s);
const patient = { waitForReady: true, timeoutMs: 20_000 };

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly channel: Channel;
  log: string;
}

const directory = mkdtempSync(join(tmpdir(), "etcd-disaster-"));
const running: Running[] = [];

/** Who the members of one cluster are, and where. */
interface Place {
  readonly kind: string;
  readonly names: readonly string[];
  readonly ports: readonly number[];
}

async function place(kind: string, members: readonly string[]): Promise<Place> {
  return { kind, names: members, ports: await freePorts(members.length * 2) };
}

const peerURL = ({ ports }: Place, i: number) => `http://127.0.0.1:${ports[2 * i + 1]}`;

function clusterFlags(where: Place, i: number): string[] {
  const initial = where.names.map((name, n) => `${name}=${peerURL(where, n)}`).join();
  return [
    `--name=${where.names[i]}`,
    `--initial-cluster=${initial}`,
    `--initial-cluster-token=${where.kind}`,
    `--initial-advertise-peer-urls=${peerURL(where, i)}`,
  ];
}

const dataDir = ({ kind, names: all }: Place, i: number) => join(directory, kind, all[i]!);

function launch(command: readonly string[], where: Place, i: number, more: string[] = []): Running {
  const url = `http://127.0.0.1:${where.ports[2 * i]}`;
  const [program, ...rest] = command;
  const flags = [...clusterFlags(where, i), `--data-dir=${dataDir(where, i)}`];
  flags.push(`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`);
  flags.push(`--listen-peer-urls=${peerURL(where, i)}`, "--log-level=info", ...more);
  const child = spawn(program!, [...rest, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const one: Running = { child, url, channel: dial(url), log: "" };
  child.stderr!.on("data", (chunk: Buffer) => {
    one.log += chunk.toString();
  });
  running.push(one);
  return one;
}

async function end({ child, channel }: Running): Promise<void> {
  channel.close();
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const exited = isOver || new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}

const kvOf = ({ channel }: Running) => createClient(channel, etcd.KV);

/** All keys, as somebody reads them who wants to be sure. */
async function contentOf(member: Running): Promise<string[]> {
  const all = { key: text("k"), rangeEnd: text("l") };
  const { kvs } = await kvOf(member).range(all, patient);
  return kvs.map(({ key, value, modRevision }) => `${key}=${value}@${modRevision}`);
}

async function saveSnapshot({ channel }: Running): Promise<Buffer> {
  const maintenance = createClient(channel, etcd.Maintenance);
  const blobs: Buffer[] = [];
  for await (const { blob } of maintenance.snapshot({}).responses) blobs.push(Buffer.from(blob));
  return Buffer.concat(blobs);
}

afterAll(async () => {
  await Promise.all(running.map(end));
  rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(skip !== undefined)(`two of three are lost${skip ? `: ${skip}` : ""}`, () => {
  const snapshot = join(directory, "snapshot.db");
  let home: Place;
  let survivor: Running;
  let wanted: string[];

  beforeAll(async () => {
    home = await place("home", names);
    const members = names.map((_, i) => launch(lite, home, i));
    const [first] = members;
    await kvOf(first!).range({ key: text("k") }, patient);
    const puts = Array.from({ length: keyCount }, (_, i) =>
      kvOf(first!).put({ key: text(`k${i % 100}`), value: text(String(i)) }),
    );
    await Promise.all(puts);
    wanted = await contentOf(first!);
    writeFileSync(snapshot, await saveSnapshot(members[1]!));
    survivor = members[2]!;
    expect(await contentOf(survivor)).toEqual(wanted);
    survivor.log = ""; // While they began there was no leader either.
    await Promise.all(members.slice(0, 2).map(end));
  }, 60_000);

  const healthOf = async ({ url }: Running) => {
    const response = await fetch(`${url}/health`);
    return { status: response.status, ...((await response.json()) as object) };
  };
  const told = (member: Running, words: string) =>
    member.log.split("\n").filter((line) => line.includes(`"msg":"${words}`)).length;

  test("who is left answers nothing stale, and says why on /health and in its log", async () => {
    while (told(survivor, "no leader") === 0) await new Promise((done) => setTimeout(done, 50));
    await expect(
      kvOf(survivor).range({ key: text("k1") }, { timeoutMs: 1000 }),
    ).rejects.toMatchObject({ code: expect.any(Number) });
    const { count } = await kvOf(survivor).range({ key: text("k1"), serializable: true });
    expect(count).toBe(1); // Whoever asks for what may be old gets it.
    expect(await healthOf(survivor)).toMatchObject({ status: 503, health: "false" });
    expect(told(survivor, "no leader")).toBe(1);
    expect(told(survivor, "cannot reach a peer")).toBe(2);
  }, 30_000);

  test("etcd-lite restores its snapshot into three members", async () => {
    const where = await place("restored", names);
    const restored = names.map((_, i) => {
      const flags = [...clusterFlags(where, i), `--data-dir=${dataDir(where, i)}`];
      execFileSync(lite[0]!, [...lite.slice(1), "snapshot", "restore", snapshot, ...flags], {
        stdio: "ignore",
      });
      return launch(lite, where, i);
    });
    for (const member of restored) expect(await contentOf(member)).toEqual(wanted);
    const { header } = await kvOf(restored[1]!).put({ key: text("after") });
    expect(header!.revision).toBe(keyCount + 2);
    await Promise.all(restored.map(end));
  }, 60_000);

  test("etcdutl restores it for three of etcd", async () => {
    const where = await place("etcd", names);
    const restored = names.map((_, i) => {
      const flags = [...clusterFlags(where, i), `--data-dir=${dataDir(where, i)}`];
      const args = ["snapshot", "restore", snapshot, ...flags];
      execFileSync(findUpstream("etcdutl")!, args, { stdio: "ignore" });
      return launch([findUpstream("etcd")!], where, i);
    });
    for (const member of restored) expect(await contentOf(member)).toEqual(wanted);
    await Promise.all(restored.map(end));
  }, 60_000);

  test("the survivor goes on alone with --force-new-cluster, and takes others again", async () => {
    await end(survivor);
    const alone = launch(lite, home, 2, ["--force-new-cluster"]);
    expect(await contentOf(alone)).toEqual(wanted);
    await kvOf(alone).put({ key: text("k-after"), value: text("1") });
    const cluster = createClient(alone.channel, etcd.Cluster);
    const { members } = await cluster.memberList({});
    expect(members.map(({ name }) => name)).toEqual(["c"]);
    await end(alone);
    // The flag is for once: it starts as what it has become.
    const again = launch(lite, home, 2);
    expect((await contentOf(again)).length).toBe(wanted.length + 1);
    const added = await createClient(again.channel, etcd.Cluster).memberAdd({
      peerURLs: ["http://127.0.0.1:1"],
      isLearner: true,
    });
    expect(added.members).toHaveLength(2);
  }, 60_000);
});
