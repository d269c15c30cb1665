/** Users, roles and whether they are asked for outlive a restart, from the log and from a snapshot. */
import { createFakeClock, createSeededRandom, nullLog } from "@nanokube/machinery";
import { createClient, etcd as proto } from "@nanokube/rpc";
import { expect, test } from "vitest";
import { createEtcd } from "./etcd.ts";
import { MemoryDisk } from "./memory-disk.ts";

const key = Buffer.from("a");

test.each([
  ["from the log", 1 << 20],
  ["from a snapshot", 1],
])("%s", async (_name, snapshotAfterBytes) => {
  const disk = new MemoryDisk();
  const open = () =>
    createEtcd({
      clock: createFakeClock(1_800_000_000_000),
      random: createSeededRandom(1),
      log: nullLog,
      disk,
      snapshotAfterBytes,
      bcryptCost: 4,
    });
  const first = await open();
  const auth = createClient(first.channel(), proto.Auth);
  for (const name of ["root", "reader"]) await auth.roleAdd({ name });
  const perm = { permType: 0, key, rangeEnd: Buffer.alloc(0) };
  await auth.roleGrantPermission({ name: "reader", perm });
  for (const name of ["root", "ann"]) await auth.userAdd({ name, password: "secret" });
  await auth.userGrantRole({ user: "root", role: "root" });
  await auth.userGrantRole({ user: "ann", role: "reader" });
  await auth.authEnable({});
  const before = first.member.state.auth.content();
  expect(JSON.stringify([...disk.files.values()].map(String))).not.toContain("secret");
  await first.close();
  expect([...disk.files.keys()].some((name) => name.startsWith("snap-"))).toBe(
    snapshotAfterBytes === 1,
  );

  const second = await open();
  try {
    expect(second.member.state.auth.content()).toEqual(before);
    const channel = second.channel();
    const kv = createClient(channel, proto.KV);
    const empty = { details: "etcdserver: user name is empty" };
    await expect(kv.range({ key })).rejects.toMatchObject(empty);
    const login = { name: "ann", password: "secret" };
    const { token } = await createClient(channel, proto.Auth).authenticate(login);
    expect((await kv.range({ key }, { metadata: { token } })).count).toBe(0);
    const denied = { code: 7, details: "etcdserver: permission denied" };
    await expect(kv.put({ key }, { metadata: { token } })).rejects.toMatchObject(denied);
  } finally {
    await second.close();
  }
});
