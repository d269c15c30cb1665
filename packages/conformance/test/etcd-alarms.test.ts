/** What still works while an alarm is raised, and how it ends: the same on etcd-lite and etcd. */
import { createClient, etcd } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../src/etcd/plain.ts";
import { bytes } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const [, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;
const activate = 1;
const deactivate = 2;
const alarms = { NOSPACE: 1, CORRUPT: 2 } as const;

/** One of everything, in order; what it was answered. */
async function everything(subject: EtcdInstance): Promise<Record<string, unknown>> {
  const { kv, lease, maintenance, cluster, channel, endpoint } = subject;
  const auth = createClient(channel, etcd.Auth);
  const key = bytes("a");
  const put = { requestPut: { key } };
  const range = { requestRange: { key } };
  const calls: Record<string, () => Promise<unknown>> = {
    range: () => kv.range({ key }),
    serializable: () => kv.range({ key, serializable: true }),
    put: () => kv.put({ key }),
    emptyPut: () => kv.put({ key: bytes("") }),
    delete: () => kv.deleteRange({ key }),
    "txn of ranges": () => kv.txn({ success: [range] }),
    "txn with a put": () => kv.txn({ success: [put] }),
    "txn with a put on the other arm": () =>
      kv.txn({ compare: [{ key, target: 0, version: 99 }], success: [put], failure: [range] }),
    "txn with a delete": () => kv.txn({ success: [{ requestDeleteRange: { key } }] }),
    compact: () => kv.compact({ revision: 2 }),
    "lease grant": () => lease.leaseGrant({ ID: 5n, TTL: 100 }),
    "lease revoke": () => lease.leaseRevoke({ ID: 9n }),
    "lease ttl": () =>
      lease.leaseTimeToLive({ ID: 9n }).then((reply) => ({ ...reply, TTL: Math.sign(reply.TTL) })),
    "role add": () => auth.roleAdd({ name: "r" }),
    "auth status": () => auth.authStatus({}),
    status: () => maintenance.status({}).then(({ errors }) => errors.map((e) => e.split(" ")[1])),
    alarms: () => maintenance.alarm({}).then(({ alarms }) => alarms.map(({ alarm }) => alarm)),
    defragment: () => maintenance.defragment({}),
    members: () => cluster.memberList({}).then(({ members }) => members.length),
  };
  const said: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(calls)) said[name] = await outcome(call());
  for (const path of ["health", "health?exclude=NOSPACE", "livez", "readyz"]) {
    const response = await fetch(`http://${endpoint}/${path}`);
    said[path] = [response.status, (await response.text()).split("\n").sort()];
  }
  return said;
}

describe.skipIf(skip !== undefined)(`alarms, beside etcd${skip ? `: ${skip}` : ""}`, () => {
  let open: EtcdInstance[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(), upstream!.open()]);
    for (const { kv, lease } of open) {
      await lease.leaseGrant({ ID: 9n, TTL: 1000 });
      for (const value of ["1", "2"]) await kv.put({ key: bytes("a"), value: bytes(value) });
    }
  });
  afterAll(() => Promise.all(open.map((one) => one.close())));

  test.each(["NOSPACE", "CORRUPT"] as const)("%s", async (name) => {
    const alarm = alarms[name];
    const said = await Promise.all(
      open.map(async (subject) => {
        const { maintenance } = subject;
        const memberID = (await maintenance.status({})).header!.memberId;
        const raised = await outcome(maintenance.alarm({ action: activate, memberID, alarm }));
        const again = await outcome(maintenance.alarm({ action: activate, memberID, alarm }));
        const meanwhile = await everything(subject);
        const off = await outcome(maintenance.alarm({ action: deactivate, memberID, alarm }));
        const none = await outcome(maintenance.alarm({ action: deactivate, memberID, alarm }));
        const after = await everything(subject);
        const hide = (reply: unknown) => JSON.stringify(reply).replace(/"memberID":"\d+n"/g, "");
        return { raised: hide(raised), again: hide(again), meanwhile, off: hide(off), none, after };
      }),
    );
    expect(said[0]).toEqual(said[1]);
  });
});
