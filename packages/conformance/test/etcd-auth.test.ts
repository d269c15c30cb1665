/**
 * Users, roles, tokens and permissions: the same calls on every etcd, and on etcd-lite beside etcd
 * by etcdctl.
 *
 * A case is a line in short words, done as the user before the colon:
 *   put KEY | get KEY [END] | del KEY [END] | txn KEY… (puts all) | watch KEY [END] | lease …
 */
import { createClient, etcd, RpcError } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome, plain } from "../src/etcd/plain.ts";
import { bytes } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const password = "open sesame";
const read = 0;
const write = 1;
const readWrite = 2;

async function addRole(auth: Auth, name: string, perms: readonly [number, string, string][]) {
  await auth.roleAdd({ name });
  for (const [permType, key, rangeEnd] of perms) {
    const perm = { permType, key: bytes(key), rangeEnd: bytes(rangeEnd) };
    await auth.roleGrantPermission({ name, perm });
  }
}

type Auth = ReturnType<typeof createClient<typeof etcd.Auth>>;

/** Two users beside root: a reader of everything under "app/", a writer of some of it. */
async function prepare(auth: Auth): Promise<void> {
  await addRole(auth, "root", []);
  await addRole(auth, "reader", [[read, "app/", "app0"]]);
  await addRole(auth, "writer", [
    [readWrite, "app/a", "app/m"],
    [write, "app/m", "app/p"],
    [write, "z", "\0"],
    [read, "one", ""],
  ]);
  for (const [name, roles] of [
    ["root", ["root"]],
    ["ann", ["reader"]],
    ["bob", ["writer"]],
    ["eve", []],
  ] as const) {
    await auth.userAdd({ name, password });
    for (const role of roles) await auth.userGrantRole({ user: name, role });
  }
  await auth.authEnable({});
}

const cases = [
  "nobody: get app/a",
  "nobody: put app/a",
  "nobody: watch app/a",
  "wrong: get app/a",
  "ann: get app/a",
  "ann: get app/ app0",
  "ann: get app/ app1",
  "ann: get \0 \0",
  "ann: put app/a",
  "ann: del app/a",
  "ann: watch app/ app0",
  "ann: watch b",
  "ann: txn app/a",
  "bob: put app/a",
  "bob: put app/m",
  "bob: put app/p",
  "bob: put zebra",
  "bob: del zebra \0",
  "bob: del y \0",
  "bob: get app/m",
  "bob: get app/a app/p",
  "bob: get one",
  "bob: get one onf",
  "bob: txn app/b app/c",
  "bob: txn app/b b",
  "bob: putprev app/n",
  "bob: status",
  "bob: hashkv",
  "bob: defragment",
  "bob: alarm",
  "bob: members",
  "bob: compact 1",
  "bob: userget bob",
  "bob: userget ann",
  "bob: roleget writer",
  "bob: roleget reader",
  "bob: users",
  "bob: roles",
  "bob: authstatus",
  "bob: useradd mallory",
  "eve: get app/a",
  "root: get \0 \0",
  "root: put anything",
  "root: status",
  "root: authstatus",
  "root: userget ann",
  "root: userget nobody",
  "root: roleget root",
  "root: roleget writer",
  "root: users",
  "root: roles",
  "root: useradd root",
  "root: useradd",
  "root: userdel root",
  "root: userdel nobody",
  "root: revokerole root root",
  "root: revokerole ann writer",
  "root: grantrole ann nothing",
  "root: grantrole nobody reader",
  "root: roledel root",
  "root: roledel nothing",
  "root: roleadd reader",
  "root: roleadd",
  "root: grant reader b a",
  "root: grant reader",
  "root: revoke reader nothing",
  "root: revoke nothing x",
  "root: authenable",
] as const;

function isOf(reply: unknown, name: string): unknown {
  const { header: _, ...rest } = reply as { header?: unknown };
  return name === "status" ? "a status" : rest;
}

class Session {
  readonly #subject: EtcdInstance;
  readonly #tokens = new Map<string, string>();

  constructor(subject: EtcdInstance) {
    this.#subject = subject;
  }

  async run(line: string): Promise<unknown> {
    const [user, words] = line.split(": ") as [string, string];
    const [verb, ...args] = words.split(" ");
    const metadata = await this.#metadata(user);
    const reply = await outcome(this.#call(verb!, args, metadata));
    return isOf(reply, verb!);
  }

  async #metadata(user: string): Promise<Record<string, string>> {
    if (user === "nobody") return {};
    if (user === "wrong") return { token: "abcdefghijklmnop.1" };
    const auth = createClient(this.#subject.channel, etcd.Auth);
    if (!this.#tokens.has(user)) {
      this.#tokens.set(user, (await auth.authenticate({ name: user, password })).token);
    }
    return { token: this.#tokens.get(user)! };
  }

  #call(verb: string, [first = "", second = "", ...more]: string[], metadata: object) {
    const { kv, maintenance, cluster, channel } = this.#subject;
    const auth = createClient(channel, etcd.Auth);
    const o = { metadata: metadata as Record<string, string>, timeoutMs: 5000 };
    const range = { key: bytes(first), rangeEnd: bytes(second) };
    const perm = { permType: read, ...range };
    const calls: Record<string, () => Promise<unknown>> = {
      put: () => kv.put({ key: range.key }, o),
      putprev: () => kv.put({ key: range.key, prevKv: true }, o),
      get: () => kv.range(range, o),
      del: () => kv.deleteRange(range, o),
      txn: () => {
        const keys = [first, second, ...more].filter((key) => key !== "");
        const success = keys.map((key) => ({ requestPut: { key: bytes(key) } }));
        return kv.txn({ success }, o);
      },
      watch: () => this.#watch(range, o),
      compact: () => kv.compact({ revision: Number(first) }, o),
      status: () => maintenance.status({}, o),
      hashkv: () => maintenance.hashKV({}, o),
      defragment: () => maintenance.defragment({}, o),
      alarm: () => maintenance.alarm({}, o),
      members: () => cluster.memberList({}, o).then(() => "members"),
      userget: () => auth.userGet({ name: first }, o),
      users: () => auth.userList({}, o),
      useradd: () => auth.userAdd({ name: first, password }, o),
      userdel: () => auth.userDelete({ name: first }, o),
      grantrole: () => auth.userGrantRole({ user: first, role: second }, o),
      revokerole: () => auth.userRevokeRole({ name: first, role: second }, o),
      roleget: () => auth.roleGet({ role: first }, o),
      roles: () => auth.roleList({}, o),
      roleadd: () => auth.roleAdd({ name: first }, o),
      roledel: () => auth.roleDelete({ role: first }, o),
      grant: () => {
        const given = { ...perm, key: bytes(second), rangeEnd: bytes(more[0] ?? "") };
        return auth.roleGrantPermission({ name: first, ...(second ? { perm: given } : {}) }, o);
      },
      revoke: () => auth.roleRevokePermission({ role: first, key: bytes(second) }, o),
      authenable: () => auth.authEnable({}, o),
      authstatus: () => auth.authStatus({}, o),
    };
    return calls[verb]!();
  }

  async #watch(createRequest: object, options: object): Promise<unknown> {
    const stream = this.#subject.watch.watch(options);
    stream.write({ createRequest });
    for await (const response of stream.responses) {
      stream.cancel();
      const { header: _, ...rest } = plain(response) as { header: unknown };
      return rest;
    }
    throw new RpcError(0, "no answer");
  }
}

const [memory, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;

describe.skipIf(skip !== undefined)(
  `who may do what, beside etcd${skip ? `: ${skip}` : ""}`,
  () => {
    let open: EtcdInstance[] = [];
    let sessions: Session[];
    beforeAll(async () => {
      const flags = ["--bcrypt-cost", "4"];
      open = await Promise.all([lite!.open(flags), upstream!.open(flags)]);
      for (const { channel } of open) await prepare(createClient(channel, etcd.Auth));
      sessions = open.map((one) => new Session(one));
    });
    afterAll(() => Promise.all(open.map((one) => one.close())));

    test.each(cases)("%s", async (line) => {
      const [mine, theirs] = await Promise.all(sessions.map((session) => session.run(line)));
      expect(mine).toEqual(theirs);
    });

    test("a wrong password, an unknown user, a changed password, auth off again", async () => {
      const transcripts = await Promise.all(open.map(transcript));
      expect(transcripts[0]).toEqual(transcripts[1]);
      expect(transcripts[0]).toHaveLength(10);
    });
  },
);

async function transcript(subject: EtcdInstance): Promise<unknown[]> {
  const auth = createClient(subject.channel, etcd.Auth);
  const said: unknown[] = [];
  const say = async (reply: Promise<unknown>) => {
    said.push(isOf(await outcome(reply), ""));
  };
  const known = async (name: string) => {
    const { token } = await auth.authenticate({ name, password });
    return { metadata: { token } };
  };
  await say(auth.authenticate({ name: "root", password: "wrong" }));
  await say(auth.authenticate({ name: "nobody", password }));
  const ann = await known("ann");
  const root = await known("root");
  await say(auth.userChangePassword({ name: "ann", password: "new" }, root));
  await say(subject.kv.range({ key: bytes("app/a") }, ann));
  await say(auth.authenticate({ name: "ann", password }));
  await say(auth.userAdd({ name: "certificate", options: { noPassword: true } }, root));
  await say(auth.authenticate({ name: "certificate", password: "" }));
  await say(auth.userAdd({ name: "long", password: "x".repeat(73) }, root));
  await say(auth.authDisable({}, root));
  await say(auth.authenticate({ name: "root", password }));
  return said;
}

describe("in memory", () => {
  test("nobody may read once authentication is on", async () => {
    const subject = await memory!.open();
    try {
      await prepare(createClient(subject.channel, etcd.Auth));
      await expect(subject.kv.range({ key: bytes("a") })).rejects.toMatchObject({
        code: 3,
        details: "etcdserver: user name is empty",
      });
    } finally {
      await subject.close();
    }
  });
});
