/**
 * Real packets through real rules: a node, three pods and a client outside, each a network
 * namespace of its own.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { type Exec, nullLog, systemClock } from "@nanokube/machinery";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestEnvironment } from "../../testenv/src/index.ts";
import { cleanup, createKubeProxy, type KubeProxyOptions } from "../src/index.ts";
import { service, slice } from "./objects.ts";

const isRoot = process.getuid?.() === 0;
const prefix = `nk-test-kp-${process.pid}`;
const ns = (name: string) => `/run/netns/${prefix}-${name}`;

function sh(name: string | undefined, ...argv: string[]): string {
  const full = name === undefined ? argv : ["nsenter", `--net=${ns(name)}`, ...argv];
  const { status, stdout, stderr } = spawnSync(full[0]!, full.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${full.join(" ")}: ${stderr}`);
  return stdout;
}

const ended: string[] = [];
/** The proxy's commands run on the node. */
const exec: Exec = async (argv, options = {}) => {
  const started = spawn("nsenter", [`--net=${ns("node")}`, ...argv], { stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  started.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  started.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  started.stdin.on("error", () => {});
  started.stdin.end(options.input ?? "");
  const code = await new Promise<number>((resolve) => started.on("close", (c) => resolve(c ?? -1)));
  ended.push(argv.join(" "));
  return { stdout, stderr, code };
};

const echoers: ChildProcess[] = [];
/** Answers TCP and UDP on 8080 with "NAME CLIENT-ADDRESS". */
async function echo(name: string): Promise<void> {
  const script = fileURLToPath(new URL("./echo.mjs", import.meta.url));
  const child = spawn("nsenter", [`--net=${ns(name)}`, process.execPath, script, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  echoers.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", () => reject(new Error("echo server ended")));
  });
}

/** One process that opens `count` connections, one after another: their answers, or error codes. */
function ask(from: string, host: string, port: number, count = 1, protocol = "tcp"): string[] {
  const script = fileURLToPath(new URL("./ask.mjs", import.meta.url));
  return sh(from, process.execPath, script, protocol, host, String(port), String(count))
    .trim()
    .split("\n");
}

const pods = ["p1", "p2", "p3"];
const ip = (pod: string) => `10.244.0.1${pod.slice(1)}`;

beforeAll(async () => {
  if (!isRoot) return;
  for (const name of ["node", "out", ...pods]) {
    sh(undefined, "ip", "netns", "add", `${prefix}-${name}`);
    sh(name, "ip", "link", "set", "lo", "up");
  }
  sh("node", "ip", "link", "add", "cni0", "type", "bridge");
  sh("node", "ip", "addr", "add", "10.244.0.1/24", "dev", "cni0");
  sh("node", "ip", "link", "set", "cni0", "up");
  for (const pod of pods) {
    sh(
      "node",
      "ip",
      "link",
      "add",
      `v${pod}`,
      "up",
      "master",
      "cni0",
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      ns(pod),
    );
    sh("node", "ip", "link", "set", `v${pod}`, "type", "bridge_slave", "hairpin", "on");
    sh(pod, "ip", "addr", "add", `${ip(pod)}/24`, "dev", "eth0");
    sh(pod, "ip", "link", "set", "eth0", "up");
    sh(pod, "ip", "route", "add", "default", "via", "10.244.0.1");
  }
  sh(
    "node",
    "ip",
    "link",
    "add",
    "vout",
    "up",
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    ns("out"),
  );
  sh("node", "ip", "addr", "add", "192.168.77.1/24", "dev", "vout");
  sh("out", "ip", "addr", "add", "192.168.77.2/24", "dev", "eth0");
  sh("out", "ip", "link", "set", "eth0", "up");
  sh("out", "ip", "route", "add", "10.96.0.0/16", "via", "192.168.77.1");
  sh("node", "ip", "route", "add", "default", "via", "192.168.77.2"); // without a route a packet is refused before any rule
  sh("node", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  await Promise.all(pods.map(echo));
});

afterAll(() => {
  for (const child of echoers) child.kill("SIGKILL");
  if (isRoot)
    for (const name of ["node", "out", ...pods])
      spawnSync("ip", ["netns", "del", `${prefix}-${name}`]);
});

describe.skipIf(!isRoot)("traffic (needs root)", () => {
  let env: TestEnvironment;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    env = await TestEnvironment.start({
      objects: [{ apiVersion: "v1", kind: "Node", metadata: { name: "n1" } }],
    });
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await env.stop();
    await cleanup(exec);
    expect(
      sh("node", "iptables-save").replaceAll(/.*KUBE-FIREWALL.*|.*block incoming localnet.*/g, ""),
    ).not.toContain("KUBE-");
  });

  async function start(options: Partial<KubeProxyOptions> = {}): Promise<void> {
    const proxy = createKubeProxy({
      client: env.client,
      nodeName: "n1",
      clusterCIDR: "10.244.0.0/16",
      clock: systemClock,
      log: nullLog,
      exec,
      minSyncPeriodMs: 0,
      ...options,
    });
    running = proxy.start(stop.signal);
    await Promise.race([proxy.ready, running]);
  }
  const http = [{ name: "http", port: 8080 }];
  const port = { name: "http", port: 80, protocol: "TCP" };
  const all = pods.map((pod) => `${ip(pod)}@n1`);

  const put = (object: Service | EndpointSlice) => {
    const { resourceVersion: _, ...metadata } = object.metadata ?? {};
    return env.apply({ ...object, metadata });
  };

  /** Resolves when the rules the proxy writes next satisfy `check`. */
  const until = (check: () => boolean): Promise<void> =>
    expect.poll(check, { interval: 10, timeout: 30_000 }).toBe(true);
  const rules = () => sh("node", "iptables-save");

  test("a service address spreads over its pods, evenly", async () => {
    await put(service("web", { clusterIP: "10.96.0.5", ports: [port] }));
    await put(slice("web", http, all));
    await start();
    const count = 300;
    const answers = ask("p1", "10.96.0.5", 80, count).map((a) => a.split(" ")[0]!);
    const per = pods.map((pod) => answers.filter((a) => a === pod).length);
    expect(per.reduce((a, b) => a + b)).toBe(count);
    const chi2 = per.reduce((sum, n) => sum + (n - count / 3) ** 2 / (count / 3), 0);
    expect(chi2).toBeLessThan(18); // two degrees of freedom: once in eight thousand runs
  });

  test("a pod that meets itself, and a client from outside, are masqueraded; other pods keep their address", async () => {
    await put(service("web", { clusterIP: "10.96.0.5", ports: [port] }));
    await put(slice("web", http, [all[0]!]));
    await start();
    expect(ask("p1", "10.96.0.5", 80)).toEqual(["p1 10.244.0.1"]);
    expect(ask("p2", "10.96.0.5", 80)).toEqual([`p1 ${ip("p2")}`]);
    expect(ask("out", "10.96.0.5", 80)).toEqual(["p1 10.244.0.1"]);
  });

  test("affinity keeps a client with one pod", async () => {
    const spec = {
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    };
    await put(service("web", { clusterIP: "10.96.0.5", ports: [port], ...spec }));
    await put(slice("web", http, all));
    await start();
    expect(new Set(ask("p1", "10.96.0.5", 80, 30)).size).toBe(1);
  });

  test("a node port answers outside, on the node and on its localhost", async () => {
    await put(
      service("web", {
        type: "NodePort",
        clusterIP: "10.96.0.5",
        ports: [{ ...port, nodePort: 30080 }],
      }),
    );
    await put(slice("web", http, [all[1]!]));
    await start();
    expect(ask("out", "192.168.77.1", 30080)).toEqual(["p2 10.244.0.1"]);
    expect(ask("node", "192.168.77.1", 30080)).toEqual(["p2 10.244.0.1"]);
    expect(ask("node", "127.0.0.1", 30080)).toEqual(["p2 10.244.0.1"]);
  });

  test("external policy Local keeps the client's address, and drops without a pod here", async () => {
    const spec = { type: "NodePort", externalTrafficPolicy: "Local" };
    await put(
      service("web", { ...spec, clusterIP: "10.96.0.5", ports: [{ ...port, nodePort: 30080 }] }),
    );
    await put(slice("web", http, [all[1]!]));
    await start();
    expect(ask("out", "192.168.77.1", 30080)).toEqual(["p2 192.168.77.2"]);
    await put(slice("web", http, [`${ip("p2")}@n2`]));
    await until(() => rules().includes("has no local endpoints"));
    expect(ask("out", "192.168.77.1", 30080)).toEqual(["ETIMEDOUT"]);
  });

  test("no endpoints is refused at once, and served as soon as there is one", async () => {
    await put(service("web", { clusterIP: "10.96.0.5", ports: [port] }));
    await start();
    expect(ask("p1", "10.96.0.5", 80)).toEqual(["ECONNREFUSED"]);
    await put(slice("web", http, [all[2]!]));
    await until(() => rules().includes("KUBE-SEP-"));
    expect(ask("p1", "10.96.0.5", 80)).toEqual([`p3 ${ip("p1")}`]);
  });

  test("a UDP client follows its service to the new pod", async () => {
    const udp = [{ name: "dns", port: 8080, protocol: "UDP" }];
    await put(
      service("dns", {
        clusterIP: "10.96.0.10",
        ports: [{ name: "dns", port: 53, protocol: "UDP" }],
      }),
    );
    await put(slice("dns", udp, [all[0]!]));
    await start();
    expect(ask("p2", "10.96.0.10", 53, 1, "udp")).toEqual([`p1 ${ip("p2")}`]);
    await put(slice("dns", udp, [all[2]!]));
    await until(() => ended.some((argv) => argv.startsWith("conntrack -D")));
    expect(ask("p2", "10.96.0.10", 53, 1, "udp")).toEqual([`p3 ${ip("p2")}`]); // the same source port
  });

  test("flushed rules are written again", async () => {
    await put(service("web", { clusterIP: "10.96.0.5", ports: [port] }));
    await put(slice("web", http, [all[0]!]));
    await start({ syncPeriodMs: 100 });
    sh("node", "nft", "flush", "ruleset");
    await until(() => rules().includes("KUBE-SEP-"));
    expect(ask("p2", "10.96.0.5", 80)).toEqual([`p1 ${ip("p2")}`]);
  });
});
