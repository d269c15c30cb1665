/**
 * Three members over sockets, one of which holds something else than the others: the comparisons
 * that --corrupt-check-time, CompactHashCheck and InitialCorruptCheck ask for find it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom, nullLog, systemClock } from "@nanokube/machinery";
import { createClient, etcd } from "@nanokube/rpc";
import { afterEach, expect, test } from "vitest";
import { freePorts } from "../../conformance/src/subjects/free-ports.ts";
import type { Entry } from "../src/core/entry.ts";
import type { CorruptionOptions } from "../src/io/corruption-check.ts";
import { createEtcd, type Etcd } from "../src/io/etcd.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const text = (s: string) => Buffer.from(s);
const names = ["a", "b", "c"];

class Three {
  readonly members = new Map<string, Etcd>();
  readonly directory = mkdtempSync(join(tmpdir(), "etcd-corrupt-"));
  readonly ports: readonly number[];

  constructor(ports: readonly number[]) {
    this.ports = ports;
    cleanups.push(async () => {
      for (const member of this.members.values()) await member.close();
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  async start(name: string, corruption?: Partial<CorruptionOptions>): Promise<Etcd> {
    const url = (other: string) => `http://127.0.0.1:${this.ports[names.indexOf(other)]}`;
    const member = await createEtcd({
      name,
      dataDir: join(this.directory, name),
      peerURLs: [url(name)],
      initialCluster: names.map((other) => ({ name: other, peerURLs: [url(other)] })),
      heartbeatMs: 50,
      electionMs: 500,
      snapshotAfterEntries: 10,
      corruption: { checkEveryMs: 0, compactHashCheckMs: 0, initialCheck: false, ...corruption },
      clock: systemClock,
      random: createSeededRandom(name.charCodeAt(0)),
      log: nullLog,
    });
    await member.peerServer.listen({ host: "127.0.0.1", port: Number(new URL(url(name)).port) });
    this.members.set(name, member);
    return member;
  }

  kv(name: string) {
    return createClient(this.members.get(name)!.channel(), etcd.KV);
  }

  get follower(): Etcd {
    return [...this.members.values()].find(({ member }) => !member.node.isLeader)!;
  }

  alarms(name: string) {
    return this.members.get(name)!.member.state.alarms;
  }
}

async function startThree(corruption?: Partial<CorruptionOptions>): Promise<Three> {
  const three = new Three(await freePorts(names.length));
  await Promise.all(names.map((name) => three.start(name, corruption)));
  await Promise.all([...three.members.values()].map((member) => member.ready()));
  return three;
}

/** From now on this member stores something else. */
function rot({ member }: Etcd): void {
  const { state } = member;
  const apply = state.apply.bind(state);
  state.apply = (entry: Entry, nowMs) => {
    const rotten =
      entry.kind === "put"
        ? { ...entry, request: { ...entry.request, value: text("rot") } }
        : entry;
    return apply(rotten, nowMs);
  };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const wrong = /etcdserver: corrupt cluster/;

test("the leader's comparison finds the member that differs, and writes are refused", async () => {
  const three = await startThree({ checkEveryMs: 100 });
  const { follower } = three;
  await three.kv("a").put({ key: text("k"), value: text("v") });
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(three.alarms("a")).toEqual([]);
  rot(follower);
  await three.kv("a").put({ key: text("k"), value: text("w") });
  await until(() => three.alarms("a").length > 0);
  const { memberId: memberID } = follower.member.identity;
  expect(three.alarms("a")).toEqual([{ memberID, alarm: 2 }]);
  await expect(three.kv("a").put({ key: text("k") })).rejects.toThrow(wrong);
  expect((await three.kv("a").range({ key: text("k") })).count).toBe(1);
}, 30_000);

test("what members took while compacting differs: the minority is told", async () => {
  const three = await startThree({ compactHashCheckMs: 100 });
  const { follower } = three;
  rot(follower);
  for (const value of ["1", "2", "3"]) {
    await three.kv("a").put({ key: text("k"), value: text(value) });
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(three.alarms("a")).toEqual([]);
  await three.kv("a").compact({ revision: 3 });
  await until(() => three.alarms("a").length > 0);
  expect(three.alarms("a")[0]!.memberID).toBe(follower.member.identity.memberId);
}, 30_000);

test("a member that differs from the others does not begin to serve", async () => {
  const three = await startThree();
  const { follower } = three;
  rot(follower);
  // So many that its snapshot has the rot, which its log has not.
  for (let i = 0; i < 40; i++) await three.kv("a").put({ key: text(`k${i}`) });
  await until(() => follower.member.state.store.revision === 41);
  const { name, memberId } = follower.member.identity;
  await follower.close();
  three.members.delete(name);
  const inconsistent = `${memberId.toString(16)} found data inconsistency with peers`;
  await expect(three.start(name, { initialCheck: true })).rejects.toThrow(inconsistent);
}, 30_000);
