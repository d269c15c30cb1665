/**
 * /metrics of ours and of kube-apiserver: which series there are, and what is counted of the same
 * requests; the tables of priority and fairness.
 */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const [ours, upstream] = apiServerSubjects();

/** Nobody but the test touches these. */
const templates = "/api/v1/namespaces/default/podtemplates";
const body = (name: string) => ({
  apiVersion: "v1",
  kind: "PodTemplate",
  metadata: { name },
  template: { spec: { containers: [{ name: "c", image: "i" }] } },
});

/** Every one that upstream calls stable and has after these requests. */
const stable = [
  "apiserver_admission_controller_admission_duration_seconds",
  "apiserver_admission_step_admission_duration_seconds",
  "apiserver_current_inflight_requests",
  "apiserver_longrunning_requests",
  "apiserver_request_duration_seconds",
  "apiserver_request_total",
  "apiserver_requested_deprecated_apis",
  "apiserver_response_sizes",
  "apiserver_storage_objects",
  "apiserver_storage_size_bytes",
];

/** Of the others those that people look at. */
const also = [
  "apiserver_cache_list_fetched_objects_total",
  "apiserver_cache_list_returned_objects_total",
  "apiserver_cache_list_total",
  "apiserver_audit_event_total",
  "apiserver_audit_level_total",
  "apiserver_flowcontrol_current_executing_requests",
  "apiserver_flowcontrol_current_executing_seats",
  "apiserver_flowcontrol_dispatched_requests_total",
  "apiserver_flowcontrol_nominal_limit_seats",
  "apiserver_flowcontrol_request_execution_seconds",
  "apiserver_flowcontrol_work_estimated_seats",
  "apiserver_init_events_total",
  "apiserver_request_sli_duration_seconds",
  "apiserver_resource_objects",
  "apiserver_selfrequest_total",
  "apiserver_storage_events_received_total",
  "apiserver_storage_list_evaluated_objects_total",
  "apiserver_storage_list_fetched_objects_total",
  "apiserver_storage_list_returned_objects_total",
  "apiserver_storage_list_total",
  "apiserver_watch_cache_consistent_read_total",
  "apiserver_watch_cache_events_dispatched_total",
  "apiserver_watch_cache_events_received_total",
  "apiserver_watch_cache_initializations_total",
  "apiserver_watch_cache_read_wait_seconds",
  "apiserver_watch_cache_resource_version",
  "apiserver_watch_events_sizes",
  "apiserver_watch_events_total",
  "apiserver_watch_list_duration_seconds",
  "authenticated_user_requests",
  "authentication_attempts",
  "authentication_duration_seconds",
  "authorization_attempts_total",
  "authorization_duration_seconds",
  "etcd_request_duration_seconds",
  "etcd_requests_total",
  "kubernetes_build_info",
  "process_cpu_seconds_total",
  "process_open_fds",
  "process_resident_memory_bytes",
  "process_network_receive_bytes_total",
  "process_start_time_seconds",
  "version_info",
  "watch_cache_capacity",
];

/** With their numbers, for this resource alone. */
const counted = [
  "apiserver_request_total",
  "apiserver_request_duration_seconds_count",
  "apiserver_request_sli_duration_seconds_count",
  "apiserver_response_sizes_count",
  "apiserver_longrunning_requests",
  "apiserver_resource_objects",
];

describe.each([ours!, upstream!])("$name", ({ open, skip }) => {
  let server: ApiServerInstance;
  beforeAll(async () => {
    if (skip !== undefined) return;
    server = await open();
  }, 90_000);
  afterAll(() => server?.close());

  const metrics = async (): Promise<string[]> => {
    const { text } = await server.send({ method: "GET", path: "/metrics" });
    return text.split("\n");
  };
  const send = (method: string, path: string, more: object = {}) =>
    server.send({ method, path, ...more });

  test.skipIf(skip)("the same requests are counted alike", async () => {
    await send("POST", templates, { body: body("a") });
    await send("POST", templates, { body: body("a") });
    await send("POST", `${templates}?dryRun=All`, { body: body("b") });
    await send("GET", `${templates}/a`);
    await send("GET", `${templates}/none`);
    await send("GET", templates);
    await send("GET", "/api/v1/podtemplates", { token: "jane-token" });
    await send("PATCH", `${templates}/a`, {
      headers: { "content-type": "application/merge-patch+json" },
      body: { metadata: { labels: { a: "b" } } },
    });
    await send("PATCH", `${templates}/a?fieldManager=me`, {
      headers: { "content-type": "application/apply-patch+yaml" },
      body: { apiVersion: "v1", kind: "PodTemplate", metadata: { annotations: { a: "b" } } },
    });
    await send("GET", `${templates}?watch=1&timeoutSeconds=1`);
    await send("GET", `/api/v1/namespaces/default/endpoints`);
    await send("DELETE", templates);
    const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    const inSystem = "/api/v1/namespaces/kube-system/configmaps";
    await send("GET", `${inSystem}?watch=1&allowWatchBookmarks=1&timeoutSeconds=1&${initial}`);
    const own = async () =>
      (await metrics())
        .filter((line) => line.includes('"podtemplates"') && !line.startsWith("#"))
        .filter((line) => counted.includes(line.slice(0, line.indexOf("{"))))
        .sort();
    // Upstream looks at how many there are twice a minute.
    const settled = (lines: string[]) => lines.filter((line) => !line.includes("resource_objects"));
    // A watch is counted a moment after its caller knows that it is over.
    const isWhole =
      /longrunning.* 0\n[\s\S]*request_total.*verb="DELETE"[\s\S]*request_total.*verb="WATCH"/;
    await expect
      .poll(async () => settled(await own()).join("\n"), { timeout: 20_000 })
      .toMatch(isWhole);
    await expect(`${settled(await own()).join("\n")}\n`).toMatchFileSnapshot(
      "../testdata/metrics-counted.txt",
    );
  });

  test.skipIf(skip)("every stable series is there, and what people look at", async () => {
    const lines = await metrics();
    const typeOf = (name: string) =>
      lines.find((line) => line.startsWith(`# TYPE ${name} `))?.split(" ")[3];
    const level = (name: string) =>
      /\[(\w+)\]/.exec(lines.find((line) => line.startsWith(`# HELP ${name} `)) ?? "")?.[1];
    const labelNames = (name: string) => {
      const line = lines.find((one) => new RegExp(`^${name}(_count)?[{ ]`).test(one)) ?? "";
      return [...line.matchAll(/(\w+)="/g)].map(([, label]) => label).sort();
    };
    const told = [...stable, ...also].flatMap((name) =>
      // Audit is off here.
      name.startsWith("apiserver_audit")
        ? []
        : [
            [name, typeOf(name) ?? "absent", level(name) ?? "", labelNames(name).join(",")].join(
              " ",
            ),
          ],
    );
    await expect(`${told.join("\n")}\n`).toMatchFileSnapshot("../testdata/metrics-series.txt");
    const others = lines.filter((line) => /^# HELP \S+ \[STABLE\]/.test(line));
    const known = (line: string) =>
      stable.includes(line.split(" ")[2]!) || line.includes("apiserver_admission_webhook");
    expect(others.filter((line) => !known(line))).toEqual([]);
  });

  test.skipIf(skip)("the results of the health checks", async () => {
    await send("GET", "/livez");
    await send("GET", "/readyz");
    const { text } = await send("GET", "/metrics/slis");
    const lines = text.split("\n");
    expect(lines).toContain("# TYPE kubernetes_healthcheck gauge");
    expect(lines).toContain("# TYPE kubernetes_healthchecks_total counter");
    for (const type of ["livez", "readyz"]) {
      expect(lines).toContain(`kubernetes_healthcheck{name="etcd",type="${type}"} 1`);
      const count = `kubernetes_healthchecks_total{name="etcd",status="success",type="${type}"} `;
      expect(lines.filter((line) => line.startsWith(count))).toHaveLength(1);
    }
  });

  test.skipIf(skip)("who waits and who is at work, by queue and by request", async () => {
    const dump = async (what: string, query = "") => {
      const path = `/debug/api_priority_and_fairness/${what}${query}`;
      const { text } = await send("GET", path);
      return text.split("\n").map((line) => line.split(/, */));
    };
    const [head, ...queues] = await dump("dump_queues");
    expect(head).toEqual([
      "PriorityLevelName",
      "Index",
      "PendingRequests",
      "ExecutingRequests",
      "SeatsInUse",
      "NextDispatchR",
      "InitialSeatsSum",
      "MaxSeatsSum",
      "TotalWorkSum",
    ]);
    const perLevel = Map.groupBy(
      queues.filter(({ length }) => length > 1),
      ([name]) => name!,
    );
    const counts = [...perLevel].map(([name, rows]) => `${name} ${rows.length}`).sort();
    expect(counts).toEqual([
      "global-default 128",
      "leader-election 16",
      "node-high 64",
      "system 64",
      "workload-high 128",
      "workload-low 128",
    ]);
    const [heads, ...rows] = await dump("dump_requests", "?includeRequestDetails=1");
    expect(heads?.slice(-4)).toEqual(["Name", "APIVersion", "Resource", "SubResource"]);
    const own = rows.find((row) => row[12]?.includes("dump_requests"));
    expect(own).toMatchObject({
      0: "exempt",
      1: "exempt",
      2: "-1",
      3: "-1",
      4: "",
      6: "1",
      8: "0s",
    });
    expect(own?.slice(10, 12)).toEqual(["admin", "get"]);
  });
});

const folder = new URL("../", import.meta.url);

test.skipIf(ours!.skip)(
  "what upstream has and we do not is named in metrics-left-out.md",
  async () => {
    const recorded = await readFile(new URL("testdata/metrics-names.txt", folder), "utf8");
    const leftOut = await readFile(new URL("../apiserver/metrics-left-out.md", folder), "utf8");
    const patterns = [...leftOut.matchAll(/^- `([a-z_0-9]+[*]?)`$/gm)].map(
      ([, pattern]) => pattern!,
    );
    const fits = (name: string, pattern: string) =>
      pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
    const server = await ours!.open();
    const { text } = await server.send({ method: "GET", path: "/metrics" }).finally(server.close);
    const types = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]),
    );
    const lines = recorded.trimEnd().split("\n");
    const absent: string[] = [];
    for (const line of lines) {
      const [name = "", type] = line.split(" ");
      if (!types.has(name)) absent.push(name);
      else expect(types.get(name), name).toBe(type);
    }
    const named = (name: string) => patterns.some((pattern) => fits(name, pattern));
    expect(absent.filter((name) => !named(name))).toEqual([]);
    const idle = patterns.filter(
      (pattern) => pattern !== "go_*" && !absent.some((name) => fits(name, pattern)),
    );
    expect(idle).toEqual([]);
    expect([...types.keys()].filter(named)).toEqual([]);
  },
);
