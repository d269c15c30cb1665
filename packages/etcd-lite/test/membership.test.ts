/** What is said about members: by three of etcd-lite, and by three of etcd, word for word. */
import { createClient, etcd } from "@nanokube/rpc";
import { afterEach, expect, test } from "vitest";
import {
  canIsolate,
  etcdLite,
  hasUpstream,
  RealCluster,
  type Subject,
  upstreamEtcd,
} from "./real-cluster.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const skip = canIsolate && hasUpstream ? false : "needs root, ip and etcd";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "ok",
    ({ code, details }) => ({ code, details }),
  );
}

/** The same questions to whoever is asked; ids, which depend on when, are left out. */
async function script(subject: Subject): Promise<unknown[]> {
  const cluster = new RealCluster(subject);
  cleanups.push(() => cluster.close());
  await cluster.start();
  const answers: unknown[] = [];
  const clusters = cluster.members.map(({ channel }) => createClient(channel, etcd.Cluster));
  const maintenances = cluster.members.map(({ channel }) =>
    createClient(channel, etcd.Maintenance),
  );
  const [first] = clusters;
  const add = (peerURLs: string[], isLearner = false) => first!.memberAdd({ peerURLs, isLearner });
  const list = async () =>
    (await first!.memberList({ linearizable: true })).members.map(
      ({ name, peerURLs, clientURLs, isLearner }) => ({ name, peerURLs, clientURLs, isLearner }),
    );
  const sorted = async () =>
    (await list()).sort((a, b) => (a.peerURLs.join() < b.peerURLs.join() ? -1 : 1));
  answers.push(await outcome(add(["http://10.77.0.4:2380"]))); // Not connected for long enough.
  await pause(6000);
  answers.push(await sorted());
  answers.push(await outcome(add(["http://10.77.0.1:2380"])));
  answers.push(await outcome(add(["nonsense"])));
  answers.push(await outcome(add([])));
  answers.push(await outcome(first!.memberRemove({ ID: 1n })));
  answers.push(await outcome(first!.memberUpdate({ ID: 1n, peerURLs: ["http://10.77.0.9:2380"] })));
  answers.push(await outcome(first!.memberPromote({ ID: 1n })));
  const { members } = await first!.memberList({ linearizable: true });
  const second = members.find(({ name }) => name === "m2")!;
  answers.push(await outcome(first!.memberPromote({ ID: second.ID })));
  const taken = ["http://10.77.0.3:2380"];
  answers.push(await outcome(first!.memberUpdate({ ID: second.ID, peerURLs: taken })));
  const learner = await add(["http://10.77.0.4:2380"], true);
  answers.push(learner.members.length, learner.member!.isLearner);
  answers.push(await outcome(add(["http://10.77.0.5:2380"], true)));
  answers.push(await outcome(first!.memberPromote({ ID: learner.member!.ID })));
  answers.push(await sorted());
  answers.push(await outcome(first!.memberRemove({ ID: learner.member!.ID })));
  answers.push(await outcome(first!.memberRemove({ ID: learner.member!.ID })));

  const statuses = await Promise.all(maintenances.map((m) => m.status({})));
  const leading = statuses.findIndex(({ leader, header }) => leader === header!.memberId);
  const other = (leading + 1) % 3;
  const target = statuses[other]!.header!.memberId;
  answers.push(await outcome(maintenances[other]!.moveLeader({ targetID: target })));
  answers.push(await outcome(maintenances[leading]!.moveLeader({ targetID: 5n })));
  answers.push(await outcome(maintenances[leading]!.moveLeader({ targetID: target })));
  const after = await maintenances[leading]!.status({});
  answers.push(after.leader === target, after.isLearner, after.errors);
  answers.push(statuses.map(({ header }) => header!.clusterId === statuses[0]!.header!.clusterId));
  answers.push(members.map(({ ID, name }) => ({ ID, name })));
  return answers;
}

test.skipIf(skip !== false)(
  `members are added, refused, promoted and removed in the same words${skip ? ` (skipped: ${skip})` : ""}`,
  { timeout: 180_000 },
  async () => {
    const ours = await script(etcdLite);
    const theirs = await script(upstreamEtcd);
    expect(ours).toEqual(theirs);
  },
);
