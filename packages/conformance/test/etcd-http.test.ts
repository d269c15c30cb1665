/**
 * What etcd answers over plain HTTP: health checks, the version, the names of its metrics, and the
 * JSON gateway. The same requests to etcd-lite and etcd.
 */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
}

/** Long enough for the first lines of what never ends. */
const streamMs = 700;

function ask({ endpoint }: EtcdInstance, path: string, asked: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = asked.method ?? (asked.body === undefined ? "GET" : "POST");
    const call = request(`http://${endpoint}${path}`, { method }, (response) => {
      let text = "";
      const done = () => {
        resolve({
          status: response.statusCode!,
          type: response.headers["content-type"],
          body: comparable(text),
        });
        call.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", done);
      if (/watch|keepalive|observe/.test(path)) setTimeout(done, streamMs);
    });
    call.on("error", reject);
    call.end(asked.body);
  });
}

/** Each line's JSON; what differs from member to member and from run to run is left out. */
function comparable(text: string): unknown {
  // protojson puts one of two kinds of blank after "proto:", so that nobody compares its texts.
  return text
    .replaceAll("\u00a0", " ")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      try {
        return JSON.parse(line, (name, value) => (ignored.has(name) ? undefined : value));
      } catch {
        return line;
      }
    })
    .sort((a, b) => (typeof a === "string" && typeof b === "string" && a < b ? -1 : 0));
}

const ignored = new Set(
  "cluster_id member_id raft_term raftTerm raftIndex raftAppliedIndex dbSize dbSizeInUse leader ID remaining_bytes blob".split(
    " ",
  ),
);

const gets = [
  "/health",
  "/health?serializable=true",
  "/health?exclude=NOSPACE",
  "/livez",
  "/livez?verbose",
  "/readyz",
  "/readyz?verbose",
  "/readyz?verbose&exclude=non_learner",
  "/readyz/data_corruption?verbose",
  "/livez/serializable_read",
  "/livez/nothing",
  "/version",
  "/",
  "/nothing",
  "/v3/nothing",
  "/v3/kv/range",
] as const;

const a = '"key":"YQ=="';
const posts: readonly (readonly [path: string, body: string])[] = [
  ["/v3/kv/put", `{${a},"value":"MQ=="}`],
  ["/v3/kv/put", `{${a},"value":"Mg==","prev_kv":true}`],
  ["/v3/kv/range", `{${a}}`],
  ["/v3/kv/range", `{${a},"keysOnly":true}`],
  ["/v3beta/kv/range", `{${a},"count_only":true}`],
  ["/v3/kv/range", '{"key":"AA","range_end":"AA==","sort_order":"DESCEND","sort_target":2}'],
  ["/v3/kv/range", `{${a},"revision":"99"}`],
  ["/v3/kv/range", "{}"],
  ["/v3/kv/range", ""],
  ["/v3/kv/range", '{"key":'],
  ["/v3/kv/range", '{"key" "x"}'],
  ["/v3/kv/range", "nonsense"],
  ["/v3/kv/range", '{"unknown":[1,{"x":null}]}'],
  ["/v3/kv/range", '{"key":"%%"}'],
  ["/v3/kv/range", '{"key":5}'],
  ["/v3/kv/range", `{${a},\n "limit":"x"}`],
  ["/v3/kv/range", `{${a},"limit":1.5}`],
  ["/v3/kv/range", `{${a},"serializable":"yes"}`],
  ["/v3/kv/range", `{${a},"sort_order":"NONSENSE"}`],
  [
    "/v3/kv/txn",
    `{"compare":[{${a},"target":"VERSION","version":"2"}],"success":[{"request_put":{${a},"value":"Mw=="}},{"requestRange":{${a}}}]}`,
  ],
  ["/v3/kv/txn", `{"compare":[{${a},"target":"VALUE","value":"MQ==","result":"GREATER"}]}`],
  ["/v3/kv/txn", '{"success":[{}]}'],
  ["/v3/lease/grant", '{"TTL":"100","ID":7}'],
  ["/v3/lease/grant", '{"TTL":"100","ID":"7"}'],
  ["/v3/lease/keepalive", '{"ID":"7"}'],
  ["/v3/lease/leases", "{}"],
  ["/v3/kv/lease/revoke", '{"ID":"8"}'],
  ["/v3/lease/revoke", '{"ID":"7"}'],
  ["/v3/watch", '{"create_request":{"key":"YQ==","start_revision":"1","prev_kv":true}}'],
  ["/v3/watch", '{"create_request":{"key":"YQ=="}} {"cancel_request":{"watch_id":"0"}}'],
  ["/v3/watch", '{"create_request":{"key":"Yg==","range_end":"YQ=="}}'],
  ["/v3/kv/deleterange", `{${a},"prev_kv":true}`],
  ["/v3/kv/compaction", '{"revision":"3","physical":true}'],
  ["/v3/kv/compaction", '{"revision":"3"}'],
  ["/v3/maintenance/status", "{}"],
  ["/v3/maintenance/alarm", '{"action":"GET"}'],
  ["/v3/maintenance/hashkv", "{}"],
  ["/v3/maintenance/defragment", "{}"],
  ["/v3/auth/status", "{}"],
  ["/v3/auth/authenticate", '{"name":"a","password":"b"}'],
  ["/v3/auth/role/add", '{"name":"r"}'],
  [
    "/v3/auth/role/grant",
    '{"name":"r","perm":{"permType":"WRITE","key":"YQ==","range_end":"Yg=="}}',
  ],
  ["/v3/auth/role/get", '{"role":"r"}'],
  ["/v3/auth/user/add", '{"name":"u","password":"p"}'],
  ["/v3/auth/user/get", '{"name":"nobody"}'],
  ["/v3/auth/enable", "{}"],
  ["/v3/election/leader", '{"name":"bQ=="}'],
  ["/v3/election/proclaim", "{}"],
  ["/v3/lock/unlock", '{"key":"bQ=="}'],
];

const [, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;

describe.skipIf(skip !== undefined)(`HTTP, beside etcd${skip ? `: ${skip}` : ""}`, () => {
  let open: EtcdInstance[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(), upstream!.open()]);
  });
  afterAll(() => Promise.all(open.map((one) => one.close())));

  const both = (path: string, asked?: Asked) => Promise.all(open.map((o) => ask(o, path, asked)));

  test.each(gets)("GET %s", async (path) => {
    const [mine, theirs] = await both(path);
    expect(mine).toEqual(theirs);
  });

  test.each([
    ["POST", "/health"],
    ["HEAD", "/health"],
    ["PUT", "/version"],
    ["OPTIONS", "/v3/kv/range"],
    ["DELETE", "/v3/kv/range"],
    ["POST", "/nothing"],
  ])("%s %s", async (method, path) => {
    const [mine, theirs] = await both(path, { method });
    expect(mine).toEqual(theirs);
  });

  test.each(posts)("POST %s %s", async (path, body) => {
    const [mine, theirs] = await both(path, { body });
    expect(mine).toEqual(theirs);
  });

  test("every metric is one of etcd's, with its help and type", async () => {
    await Promise.all(open.map((one) => one.kv.put({ key: Buffer.from("applied") })));
    const texts = await Promise.all(open.map(metricsOf));
    const [mine, theirs] = texts.map(factsOf);
    for (const [name, fact] of mine!) {
      if (!name.startsWith("process_")) expect(theirs!.get(name), name).toEqual(fact);
    }
    const missing = [...theirs!.keys()].filter((name) => !mine!.has(name) && !isOfGo(name));
    expect(missing.sort()).toEqual(withoutCounterpart);
    const [myShapes, theirShapes] = texts.map(shapesOf);
    for (const [name, shape] of myShapes!) {
      const theirs = theirShapes!.get(name);
      if (theirs !== undefined && !name.startsWith("process_"))
        expect([name, shape]).toEqual([name, theirs]);
    }
  });

  test("/debug/vars says what etcd's does, of what there is here", async () => {
    const answers = open.map(async ({ endpoint }) => {
      return (await (await fetch(`http://${endpoint}/debug/vars`)).json()) as Vars;
    });
    const [mine, theirs] = (await Promise.all(answers)) as [Vars, Vars];
    expect(Object.keys(mine)).toEqual(Object.keys(theirs));
    const shapeOf = (status: Record<string, unknown>) =>
      Object.entries(status).map(([name, value]) => [name, typeof value]);
    const { leadtransferee, ...wanted } = theirs["raft.status"];
    expect(leadtransferee).toBe("0");
    expect(shapeOf(mine["raft.status"]).sort()).toEqual(shapeOf(wanted).sort());
    expect(mine["raft.status"]["raftState"]).toBe("StateLeader");
    for (const name of Object.keys(mine.memstats)) expect(theirs.memstats).toHaveProperty(name);
    expect(await both("/debug/vars", { method: "POST" })).toMatchObject([
      { status: 405 },
      { status: 405 },
    ]);
    expect(await both("/debug/pprof/")).toMatchObject([{ status: 404 }, { status: 404 }]);
  });

  test.each(dialogues)("a WebSocket on %s", async (path, asked) => {
    const [mine, theirs] = await Promise.all(open.map((one) => talk(one, path, asked)));
    expect(mine).toEqual(theirs);
  });

  test("a WebSocket elsewhere is answered as if none had been asked for", async () => {
    expect(await Promise.all(open.map((one) => talk(one, "/version", ["x"])))).toEqual([
      ["refused: 200"],
      ["refused: 200"],
    ]);
  });

  test("requests of a stream are taken while it is answered", async () => {
    const [mine, theirs] = await Promise.all(open.map(watchInSteps));
    expect(mine).toEqual(theirs);
  });

  test("the same work gives the same numbers", async () => {
    const grown = open.map(async (one) => {
      const at = async () => numbersOf(await metricsOf(one));
      const before = await at();
      await workFor(one);
      const after = await at();
      return alikeNumbers.map((name) => [name, after.get(name)! - (before.get(name) ?? 0)]);
    });
    const [mine, theirs] = await Promise.all(grown);
    expect(mine).toEqual(theirs);
    for (const [name, count] of mine!) expect(count, name as string).toBeGreaterThan(0);
  });

  test("the numbers are true ones", async () => {
    const [ours] = open;
    const at = async () =>
      numbersOf(await (await fetch(`http://${ours!.endpoint}/metrics`)).text());
    const before = await at();
    for (let i = 0; i < 5; i++) await ours!.kv.put({ key: Buffer.from("counted") });
    await ours!.kv.range({ key: Buffer.from("counted") });
    await ours!.kv.range({ key: Buffer.alloc(0) }).catch(() => {});
    const after = await at();
    const grown = (name: string) => after.get(name)! - (before.get(name) ?? 0);
    expect(grown("etcd_mvcc_put_total")).toBe(5);
    expect(grown("etcd_mvcc_range_total")).toBe(1);
    expect(grown("etcd_server_proposals_applied_total")).toBe(5);
    expect(grown("etcd_server_proposals_committed_total")).toBe(5);
    expect(grown("etcd_disk_wal_fsync_duration_seconds_count")).toBeGreaterThan(0);
    expect(grown("etcd_disk_wal_fsync_duration_seconds_sum")).toBeGreaterThan(0);
    const range = 'grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"';
    expect(grown(`grpc_server_started_total{${range}}`)).toBe(2);
    expect(grown(`grpc_server_handled_total{grpc_code="OK",${range}}`)).toBe(1);
    expect(grown(`grpc_server_handled_total{grpc_code="InvalidArgument",${range}}`)).toBe(1);
    expect(after.get("etcd_server_leader_changes_seen_total")).toBe(1);
    expect(after.get("etcd_server_has_leader")).toBe(1);
  });
});

interface Vars {
  readonly memstats: object;
  readonly "raft.status": Record<string, unknown>;
}

const isOfGo = (name: string) => name.startsWith("go_") || name === "etcd_server_go_version";

/** Of bbolt's pages and read transactions, of the store of version 2, of the gRPC proxy. */
const withoutCounterpart = `etcd_debugging_disk_backend_commit_rebalance_duration_seconds
  etcd_debugging_disk_backend_commit_spill_duration_seconds
  etcd_debugging_disk_backend_commit_write_duration_seconds
  etcd_debugging_store_expires_total
  etcd_debugging_store_reads_total
  etcd_debugging_store_watch_requests_total
  etcd_debugging_store_watchers
  etcd_debugging_store_writes_total
  etcd_grpc_proxy_cache_hits_total
  etcd_grpc_proxy_cache_keys_total
  etcd_grpc_proxy_cache_misses_total
  etcd_grpc_proxy_events_coalescing_total
  etcd_grpc_proxy_watchers_coalescing_total
  etcd_mvcc_db_open_read_transactions`
  .trim()
  .split(/\s+/);

/** What comes back over a WebSocket, until it ends or nothing more is expected. */
function talk({ endpoint }: EtcdInstance, path: string, asked: readonly string[]) {
  return new Promise<unknown[]>((resolve) => {
    const heard: unknown[] = [];
    const socket = new WebSocket(`ws://${endpoint}${path}`);
    const end = setTimeout(() => done("still open"), streamMs);
    const done = (how: string) => {
      clearTimeout(end);
      socket.terminate();
      resolve([...heard, how]);
    };
    socket.on("open", () => {
      for (const one of asked) socket.send(one);
    });
    socket.on("message", (data) => heard.push(comparable(String(data))));
    socket.on("unexpected-response", (_, { statusCode }) => done(`refused: ${statusCode}`));
    socket.on("close", () => done("closed"));
    socket.on("error", () => {});
  });
}

/** Creates a second watch only when the first is there. */
function watchInSteps({ endpoint }: EtcdInstance): Promise<unknown[]> {
  return new Promise((resolve) => {
    const heard: unknown[] = [];
    const socket = new WebSocket(`ws://${endpoint}/v3/watch`);
    const steps = [
      '{"create_request":{"key":"c3RlcA==","watch_id":"7"}}',
      '{"create_request":{"key":"c3RlcA==","watch_id":"7"}}',
      '{"cancel_request":{"watch_id":"7"}}',
    ];
    const next = () => {
      const step = steps.shift();
      if (step !== undefined) socket.send(step);
      else {
        socket.terminate();
        resolve(heard);
      }
    };
    socket.on("open", next);
    socket.on("message", (data) => {
      heard.push(comparable(String(data)));
      next();
    });
  });
}

const dialogues: readonly (readonly [path: string, asked: readonly string[]])[] = [
  ["/v3/kv/put", [`{${a},"value":"MQ=="}`]],
  ["/v3/kv/range", [`{${a}}`]],
  ["/v3/kv/range", ['{"key":5}']],
  ["/v3/nothing", ["{}"]],
  ["/v3/watch", [`{"create_request":{${a}}}`, '{"cancel_request":{"watch_id":"0"}}']],
  ["/v3/watch", ["nonsense"]],
  ["/v3/lease/keepalive", ['{"ID":"7"}', '{"ID":"8"}']],
];

function numbersOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

/** A little of everything that is counted. */
async function workFor({ kv, lease, watch }: EtcdInstance): Promise<void> {
  const bytes = (text: string) => Buffer.from(text);
  const { header } = await kv.put({ key: bytes("m/1"), value: bytes("v") });
  const events = watch.watch();
  events.write({
    createRequest: { key: bytes("m/"), rangeEnd: bytes("m0"), startRevision: header!.revision + 1 },
  });
  await kv.put({ key: bytes("m/1"), value: bytes("longer") });
  await kv.put({ key: bytes("m/1"), ignoreValue: true });
  const two = { requestPut: { key: bytes("m/2"), value: bytes("two") } };
  const compare = [{ key: bytes("m/2"), target: 0, version: 0 }];
  const nested = {
    requestTxn: { failure: [], success: [{ requestRange: { key: bytes("m/1") } }] },
  };
  await kv.txn({ compare: [...compare, ...compare], success: [two, nested] });
  await kv.txn({ compare: [...compare, ...compare], success: [two] });
  await kv.txn({ success: [{ requestRange: { key: bytes("m/1") } }] });
  await kv.deleteRange({ key: bytes("m/2") });
  let heard = 0;
  for await (const response of events.responses) {
    heard += response.events.length;
    if (heard === 4) break;
  }
  events.cancel();
  await kv.range({ key: bytes("m/1") });
  await kv.range({ key: bytes("m/1"), revision: 9_000_000 }).catch(() => {});
  const { ID } = await lease.leaseGrant({ ID: 4242n, TTL: 300 });
  const alive = lease.leaseKeepAlive();
  alive.write({ ID });
  for await (const _ of alive.responses) break;
  alive.cancel();
  await lease.leaseRevoke({ ID });
  await kv.compact({ revision: header!.revision + 3, physical: true });
}

const applied = (operation: string) =>
  `etcd_server_apply_duration_seconds_count{op="${operation}",success="true",version="v3"}`;
const kv = (method: string) =>
  `{grpc_method="${method}",grpc_service="etcdserverpb.KV",grpc_type="unary"}`;

const alikeNumbers = [
  ...["range", "put", "delete", "txn"].map((what) => `etcd_mvcc_${what}_total`),
  "etcd_debugging_mvcc_total_put_size_in_bytes",
  "etcd_debugging_mvcc_events_total",
  "etcd_debugging_mvcc_db_compaction_keys_total",
  "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_count",
  "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds_count",
  "etcd_debugging_lease_granted_total",
  "etcd_debugging_lease_renewed_total",
  "etcd_debugging_lease_ttl_total_sum",
  'etcd_server_range_duration_seconds_count{success="true"}',
  'etcd_server_range_duration_seconds_count{success="false"}',
  'etcd_server_client_requests_total{client_api_version="unknown",type="unary"}',
  'etcd_server_client_requests_total{client_api_version="unknown",type="stream"}',
  "etcd_network_client_grpc_received_bytes_total",
  `grpc_server_msg_received_total${kv("Txn")}`,
  ...["Put", "Txn", "DeleteRange", "Compaction", "LeaseGrant", "LeaseRevoke"].map(applied),
];

async function metricsOf({ endpoint }: EtcdInstance): Promise<string> {
  for (const path of ["livez", "readyz"]) await fetch(`http://${endpoint}/${path}`);
  return (await fetch(`http://${endpoint}/metrics`)).text();
}

/** Type and help of each. */
function factsOf(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const [, name, help] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) facts.set(name!, help!);
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (.*)$/gm)) {
    facts.set(name!, `${type}: ${facts.get(name!)}`);
  }
  return facts;
}

/** The names of each one's labels, and the bounds of its buckets: not what differs from run to run. */
function shapesOf(text: string): Map<string, string[]> {
  const shapes = new Map<string, Set<string>>();
  for (const [, name, labels = ""] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const names = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      .map(([, label, value]) => (label === "le" ? `le=${value}` : label!))
      .sort();
    shapes.set(name!, (shapes.get(name!) ?? new Set()).add(names.join()));
  }
  return new Map([...shapes].map(([name, set]) => [name, [...set]]));
}
