/**
 * What etcd answers over plain HTTP: health checks, the version, the names of its metrics, and the
 * JSON gateway. The same requests to etcd-lite and etcd.
 */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
    const [mine, theirs] = await Promise.all(open.map(metricFacts));
    for (const [name, fact] of mine!) {
      if (!name.startsWith("process_")) expect(theirs!.get(name), name).toEqual(fact);
    }
    expect(mine!.size).toBeGreaterThan(35);
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

function numbersOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

async function metricFacts({ endpoint }: EtcdInstance): Promise<Map<string, string>> {
  for (const path of ["livez", "readyz"]) await fetch(`http://${endpoint}/${path}`);
  const text = await (await fetch(`http://${endpoint}/metrics`)).text();
  const facts = new Map<string, string>();
  for (const [, name, help] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) facts.set(name!, help!);
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (.*)$/gm)) {
    facts.set(name!, `${type}: ${facts.get(name!)}`);
  }
  return facts;
}
