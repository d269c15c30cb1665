/** Three members in one process: memory, an injected transport, a clock that stands still. */
import { createFakeClock, createSeededRandom, type FakeClock, nullLog } from "@nanokube/machinery";
import { type Channel, createClient, etcd } from "@nanokube/rpc";
import { afterEach, describe, expect, test } from "vitest";
import { createEtcd, type Etcd, type EtcdOptions } from "./etcd.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { metricsText } from "./metrics-text.ts";

const text = (s: string) => Buffer.from(s);

/** Members by peer URL; who asks for one gets a channel inside the process. */
class Members {
  readonly clock: FakeClock = createFakeClock();
  readonly all = new Map<string, Etcd>();
  readonly cut = new Set<string>();

  async start(name: string, names: readonly string[], more: Partial<EtcdOptions> = {}) {
    const url = (member: string) => `http://${member}:2380`;
    const member = await createEtcd({
      name,
      peerURLs: [url(name)],
      clientURLs: [`http://${name}:2379`],
      initialCluster: names.map((other) => ({ name: other, peerURLs: [url(other)] })),
      connect: (target) => this.#connect(name, new URL(target).hostname),
      clock: this.clock,
      random: createSeededRandom(name.charCodeAt(1)),
      log: nullLog,
      ...more,
    });
    this.all.set(name, member);
    return member;
  }

  /** Late bound: the other one may not have begun yet, or be cut off. */
  #connect(from: string, to: string): Channel {
    const channel = (): Channel => {
      const target = this.all.get(to);
      if (target === undefined || this.cut.has(from) || this.cut.has(to)) {
        throw Object.assign(new Error(`no way from ${from} to ${to}`), { code: 14 });
      }
      return target.peerServer.memory();
    };
    return {
      unary: async (method, request, options) => channel().unary(method, request, options),
      stream: (method, options) => {
        try {
          return channel().stream(method, options);
        } catch (error) {
          return brokenStream(error);
        }
      },
      upgrade: async (options) => channel().upgrade(options),
      close() {},
    };
  }

  async until(what: () => boolean): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (what()) return;
      await this.clock.step(50);
    }
    throw new Error("it never came to be");
  }

  get leader(): Etcd | undefined {
    const leading = [...this.all.values()].filter(({ member }) => member.node.isLeader);
    return leading.sort((a, b) => b.member.term - a.member.term)[0];
  }

  follower(): Etcd {
    return [...this.all.values()].find((member) => member !== this.leader)!;
  }

  /** While it waits, time goes on. */
  async passing<T>(promise: Promise<T>): Promise<T> {
    let isDone = false;
    promise.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    await this.until(() => isDone);
    return promise;
  }
}

function brokenStream(error: unknown) {
  const broken = Promise.reject(error);
  broken.catch(() => {});
  return {
    write: () => true,
    drained: async () => {},
    end() {},
    cancel() {},
    headers: broken as Promise<never>,
    responses: {
      [Symbol.asyncIterator]: () => ({ next: () => broken as Promise<never> }),
    },
  };
}

let members: Members;
const three = ["m1", "m2", "m3"];
afterEach(async () => {
  await Promise.all([...members.all.values()].map((member) => member.close()));
});

async function startThree(more: Partial<EtcdOptions> = {}): Promise<Members> {
  members = new Members();
  for (const name of three) await members.start(name, three, more);
  await members.until(() => members.leader !== undefined);
  await members.passing(Promise.all([...members.all.values()].map((member) => member.ready())));
  return members;
}

const kvOf = (member: Etcd) => createClient(member.channel(), etcd.KV);
const leaseOf = (member: Etcd) => createClient(member.channel(), etcd.Lease);
const clusterOf = (member: Etcd) => createClient(member.channel(), etcd.Cluster);
const maintenanceOf = (member: Etcd) => createClient(member.channel(), etcd.Maintenance);

test("a write at any member is read at every other, at once", async () => {
  const { all } = await startThree();
  const list = [...all.values()];
  for (const [i, writer] of list.entries()) {
    await members.passing(kvOf(writer).put({ key: text("k"), value: text(`${i}`) }));
    for (const reader of list) {
      const { kvs, header } = await members.passing(kvOf(reader).range({ key: text("k") }));
      expect(String(kvs[0]!.value)).toBe(`${i}`);
      expect(header!.memberId).toBe(reader.member.identity.memberId);
      expect(header!.raftTerm).toBe(members.leader!.member.term);
    }
  }
});

test("the majority goes on without a member; a member without the majority refuses", async () => {
  await startThree();
  const lost = members.leader!;
  const name = lost.member.identity.name;
  members.cut.add(name);
  for (const { member } of members.all.values()) {
    for (const id of member.state.cluster.members.keys()) member.node.lost(id);
  }
  members.all.delete(name);
  await lost.close();
  await members.until(() => members.leader !== undefined && members.leader !== lost);
  await members.passing(kvOf(members.leader!).put({ key: text("k"), value: text("on") }));
  const other = members.follower();
  await other.close();
  members.all.delete(other.member.identity.name);
  const alone = kvOf(members.all.values().next().value!);
  const refused = members.passing(alone.put({ key: text("k"), value: text("off") }));
  await expect(refused).rejects.toMatchObject({
    code: 14,
    details: "etcdserver: request timed out, possibly due to previous leader failure",
  });
  const { kvs } = await alone.range({ key: text("k"), serializable: true });
  expect(String(kvs[0]!.value)).toBe("on");
});

test("a member whose disk breaks says so once, and answers nothing stale; the others go on", async () => {
  members = new Members();
  const disk = new MemoryDisk();
  const told: string[] = [];
  const log = { ...nullLog, error: (_fields: object, message: string) => void told.push(message) };
  for (const name of three) await members.start(name, three, name === "m1" ? { disk, log } : {});
  await members.until(() => members.leader !== undefined);
  const [broken, other] = [members.all.get("m1")!, members.all.get("m2")!];
  await members.passing(kvOf(other).put({ key: text("k"), value: text("before") }));
  await members.until(() => broken.member.state.store.keyCount === 1);
  const address = await broken.httpServer.listen({ host: "127.0.0.1", port: 0 });

  disk.failure = new Error("EIO: i/o error, write");
  for (let isDone = false; !isDone; ) {
    const put = kvOf(other).put({ key: text("k"), value: text("after") });
    isDone = await members.passing(put.then(() => true)).catch(() => false);
  }
  const key = text("k");
  await expect(members.passing(kvOf(broken).range({ key }))).rejects.toMatchObject({ code: 14 });
  await expect(members.passing(kvOf(broken).put({ key }))).rejects.toMatchObject({ code: 14 });
  const { kvs } = await kvOf(broken).range({ key, serializable: true });
  expect(String(kvs[0]!.value)).toBe("before"); // To whom is content with what may be old.
  const now = await members.passing(kvOf(other).range({ key }));
  expect(String(now.kvs[0]!.value)).toBe("after");
  const health = await fetch(`http://127.0.0.1:${address.port}/health`);
  expect([health.status, await health.json()]).toEqual([
    503,
    { health: "false", reason: "DISK: EIO: i/o error, write" },
  ]);
  expect(told).toEqual(["the log cannot be written: refusing all writes"]);
});

test("/metrics tells of the others: who is there, what went to and fro, how long it takes", async () => {
  await startThree();
  await members.passing(kvOf(members.follower()).put({ key: text("k") }));
  await members.clock.step(1500);
  const { member } = members.leader!;
  const id = (of: Etcd) => of.member.identity.memberId.toString(16);
  const others = [...members.all.values()].filter((other) => other !== members.leader).map(id);
  const shown = (series: string) => {
    const line = metricsText(member)
      .split("\n")
      .find((one) => one.startsWith(`${series} `));
    return Number(line?.split(" ").at(-1) ?? Number.NaN);
  };
  for (const other of others) {
    const both = `Local="${id(members.leader!)}",Remote="${other}"`;
    expect(shown(`etcd_network_active_peers{${both}}`)).toBe(1);
    expect(shown(`etcd_network_peer_sent_bytes_total{To="${other}"}`)).toBeGreaterThan(0);
    expect(shown(`etcd_network_peer_received_bytes_total{From="${other}"}`)).toBeGreaterThan(0);
    const roundTrips = `etcd_network_peer_round_trip_time_seconds_count{To="${other}"}`;
    await members.until(() => shown(roundTrips) === 1);
  }
});

describe("calls that want a leader", () => {
  const metadata = { hasleader: "true" };

  test("are refused without one, and their streams end", async () => {
    await startThree();
    const kept = members.follower();
    const watch = createClient(kept.channel(), etcd.Watch).watch({ metadata });
    watch.write({ createRequest: { key: text("k") } });
    const responses = watch.responses[Symbol.asyncIterator]();
    expect((await members.passing(responses.next())).value.created).toBe(true);
    const others = [...members.all.values()].filter((member) => member !== kept);
    for (const other of others) {
      members.all.delete(other.member.identity.name);
      await other.close();
    }
    const noLeader = { code: 14, details: "etcdserver: no leader" };
    await expect(members.passing(responses.next())).rejects.toMatchObject(noLeader);
    const range = kvOf(kept).range({ key: text("k"), serializable: true }, { metadata });
    await expect(members.passing(range)).rejects.toMatchObject(noLeader);
    expect(kept.member.state.hub.watchCount).toBe(0);
    const status = await maintenanceOf(kept).status({});
    expect(status).toMatchObject({ leader: 0n, errors: ["etcdserver: no leader"] });
  });
});

describe("leases", () => {
  test("a lease is renewed by way of any member, and ends on all when nobody does", async () => {
    await startThree();
    const [leader, follower] = [members.leader!, members.follower()];
    const { ID } = await members.passing(leaseOf(follower).leaseGrant({ TTL: 5, ID: 9n }));
    await members.passing(kvOf(follower).put({ key: text("k"), lease: ID }));
    const stream = leaseOf(follower).leaseKeepAlive();
    for (let i = 0; i < 4; i++) {
      await members.clock.step(3000);
      stream.write({ ID });
      const answer = stream.responses[Symbol.asyncIterator]().next();
      expect((await members.passing(answer)).value.TTL).toBe(5);
    }
    stream.end();
    const left = await members.passing(leaseOf(follower).leaseTimeToLive({ ID, keys: true }));
    expect(left).toMatchObject({ grantedTTL: 5, keys: [text("k")] });
    expect(left.TTL).toBeGreaterThan(3);
    await members.clock.step(7000);
    await members.until(() => follower.member.state.lessor.find(ID) === undefined);
    expect(leader.member.state.store.range({ key: "k", end: undefined }).count).toBe(0);
  });

  test("a new leader gives it what was left, and an end", async () => {
    await startThree();
    await members.passing(leaseOf(members.leader!).leaseGrant({ TTL: 4, ID: 9n }));
    await members.passing(kvOf(members.leader!).put({ key: text("k"), lease: 9n }));
    const targetID = members.follower().member.identity.memberId;
    await members.passing(maintenanceOf(members.leader!).moveLeader({ targetID }));
    expect(members.leader!.member.identity.memberId).toBe(targetID);
    await members.clock.step(2000);
    expect(members.leader!.member.state.lessor.find(9n)).toBeDefined();
    await members.until(() => members.leader!.member.state.lessor.find(9n) === undefined);
  });
});

test("what was left of a long lease survives a change of leaders; a renewal is known too", async () => {
  await startThree();
  const lease = leaseOf(members.leader!);
  for (const ID of [7n, 8n]) await members.passing(lease.leaseGrant({ TTL: 2000, ID }));
  await members.clock.step(301_000); // The leader notes every five minutes what is left.
  await members.until(() =>
    [...members.all.values()].every(
      ({ member }) => member.state.lessor.find(7n)!.remainingSeconds > 0,
    ),
  );
  const stream = lease.leaseKeepAlive();
  stream.write({ ID: 8n });
  await members.passing(stream.responses[Symbol.asyncIterator]().next());
  stream.end();
  await members.clock.step(500);
  const targetID = members.follower().member.identity.memberId;
  await members.passing(maintenanceOf(members.leader!).moveLeader({ targetID }));
  const left = async (ID: bigint) =>
    (await members.passing(leaseOf(members.leader!).leaseTimeToLive({ ID }))).TTL;
  expect(await left(7n)).toBeLessThan(1710);
  expect(await left(8n)).toBeGreaterThan(1990);
});

describe("members come and go", () => {
  test("a learner joins, catches up by a snapshot, is promoted, votes", async () => {
    await startThree({ keptEntries: 10, strictReconfigCheck: false });
    const leader = members.leader!;
    for (let i = 0; i < 60; i++) {
      await members.passing(kvOf(leader).put({ key: text(`k${i % 7}`), value: text(`${i}`) }));
    }
    const peerURLs = ["http://m4:2380"];
    const cluster = clusterOf(leader);
    const added = await members.passing(cluster.memberAdd({ peerURLs, isLearner: true }));
    const ID = added.member!.ID;
    await expect(members.passing(cluster.memberPromote({ ID }))).rejects.toMatchObject({
      details: "etcdserver: can only promote a learner member which is in sync with leader",
    });
    const names = [...three, "m4"];
    const joined = await members.passing(members.start("m4", names, { joinExisting: true }));
    expect(joined.member.identity.memberId).toBe(ID);
    await members.until(() => joined.member.state.index === leader.member.state.index);
    await expect(members.passing(kvOf(joined).range({ key: text("k1") }))).rejects.toMatchObject({
      code: 9,
      details: "etcdserver: rpc not supported for learner",
    });
    await kvOf(joined).range({ key: text("k1"), serializable: true });
    expect(await maintenanceOf(joined).status({})).toMatchObject({ isLearner: true });
    await members.passing(cluster.memberPromote({ ID }));
    await members.until(() => joined.member.node.raft.membership.voters.has(ID));
    const hash = (member: Etcd) => members.passing(maintenanceOf(member).hashKV({}));
    expect((await hash(joined)).hash).toBe((await hash(leader)).hash);
    await expect(members.passing(cluster.memberPromote({ ID }))).rejects.toMatchObject({
      details: "etcdserver: can only promote a learner member",
    });
  });

  test("one that is removed is gone; its id never comes back", async () => {
    await startThree({ strictReconfigCheck: false });
    const gone = members.follower();
    const ID = gone.member.identity.memberId;
    const cluster = clusterOf(members.leader!);
    const { members: left } = await members.passing(cluster.memberRemove({ ID }));
    expect(left.map((member) => member.ID)).not.toContain(ID);
    await expect(members.passing(cluster.memberRemove({ ID }))).rejects.toMatchObject({
      code: 5,
      details: "etcdserver: member not found",
    });
  });

  test("what etcd refuses is refused in its words", async () => {
    await startThree();
    const cluster = clusterOf(members.leader!);
    const refusal = async (call: Promise<unknown>) =>
      members.passing(call).then(
        () => "none",
        (error) => error.details,
      );
    expect(await refusal(cluster.memberAdd({ peerURLs: ["foo"] }))).toBe(
      "etcdserver: given member URLs are invalid",
    );
    expect(await refusal(cluster.memberRemove({ ID: 12345n }))).toBe(
      "etcdserver: member not found",
    );
    await members.clock.step(6000);
    expect(await refusal(cluster.memberAdd({ peerURLs: ["http://m1:2380"] }))).toBe(
      "etcdserver: Peer URLs already exists",
    );
    const maintenance = maintenanceOf(members.follower());
    expect(await refusal(maintenance.moveLeader({ targetID: 1n }))).toBe("etcdserver: not leader");
    expect(await refusal(maintenanceOf(members.leader!).moveLeader({ targetID: 1n }))).toBe(
      "etcdserver: bad leader transferee",
    );
  });
});
