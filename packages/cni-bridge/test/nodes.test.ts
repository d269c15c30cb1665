/** Two nodes on one wire: pods of each reach pods of the other by the routes that the agent writes. */
import { spawnSync } from "node:child_process";
import { nodes } from "@nanokube/client";
import { type Exec, nullLog, systemClock } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestEnvironment } from "../../testenv/src/index.ts";
import { createNodeRoutes } from "../src/index.ts";
import { isRoot } from "./world.ts";

const prefix = `nk-test-nr-${process.pid}`;
const ns = (name: string) => `/run/netns/${prefix}-${name}`;
const run = (name: string, argv: string[], input = "") =>
  spawnSync("nsenter", [`--net=${ns(name)}`, ...argv], { encoding: "utf8", input });

function sh(name: string, ...argv: string[]): string {
  const { status, stdout, stderr } = run(name, argv);
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

/** Commands of the agent of a node. */
const execOn =
  (name: string): Exec =>
  async (argv, options = {}) => {
    const { status, stdout, stderr } = run(name, argv, String(options.input ?? ""));
    return { stdout, stderr, code: status ?? -1 };
  };

const all = ["n1", "n2", "p1", "p2", "out"];
const node = (i: number) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: `n${i}` },
  spec: { podCIDR: `10.244.${i}.0/24`, podCIDRs: [`10.244.${i}.0/24`] },
  status: { addresses: [{ type: "InternalIP", address: `10.89.0.1${i}` }] },
});

describe.skipIf(!isRoot)("routes between nodes (needs root)", () => {
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await TestEnvironment.start();
    for (const name of all) {
      spawnSync("ip", ["netns", "add", `${prefix}-${name}`]);
      sh(name, "ip", "link", "set", "lo", "up");
    }
    sh("out", "ip", "link", "add", "wire", "type", "bridge");
    sh("out", "ip", "addr", "add", "10.89.0.1/24", "dev", "wire");
    sh("out", "ip", "link", "set", "wire", "up");
    for (const i of [1, 2]) {
      const [n, p] = [`n${i}`, `p${i}`];
      sh(
        "out",
        "ip",
        "link",
        "add",
        n,
        "up",
        "master",
        "wire",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        ns(n),
      );
      sh(n, "ip", "addr", "add", `10.89.0.1${i}/24`, "dev", "eth0");
      sh(n, "ip", "link", "set", "eth0", "up");
      sh(
        n,
        "ip",
        "link",
        "add",
        "pod",
        "up",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        ns(p),
      );
      sh(n, "ip", "addr", "add", `10.244.${i}.1/24`, "dev", "pod");
      sh(p, "ip", "addr", "add", `10.244.${i}.2/24`, "dev", "eth0");
      sh(p, "ip", "link", "set", "eth0", "up");
      sh(p, "ip", "route", "add", "default", "via", `10.244.${i}.1`);
      sh(n, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
    }
  });
  afterAll(async () => {
    stop.abort();
    await Promise.all(running);
    await env?.stop();
    for (const name of all) spawnSync("ip", ["netns", "del", `${prefix}-${name}`]);
  });

  const until = (check: () => boolean): Promise<void> =>
    expect.poll(check, { interval: 10, timeout: 30_000 }).toBe(true);
  const pings = (from: string, to: string) =>
    run(from, ["busybox", "ping", "-c1", "-W1", to]).status === 0;
  const routes = (of: string, over = "eth0") =>
    sh(of, "ip", "route", "show", "proto", "78", "dev", over).trim();

  test("appear with the nodes, and go with them", async () => {
    // Another cluster's, over another link of the machine.
    sh("n1", "ip", "link", "add", "other", "type", "bridge");
    sh("n1", "ip", "addr", "add", "10.99.0.1/24", "dev", "other");
    sh("n1", "ip", "link", "set", "other", "up");
    sh("n1", "ip", "route", "add", "10.77.0.0/24", "via", "10.99.0.2", "proto", "78");
    await env.create(node(1), node(2));
    for (const name of ["n1", "n2"]) {
      const agent = createNodeRoutes({
        client: env.client,
        nodeName: name,
        exec: execOn(name),
        clock: systemClock,
        log: nullLog,
        masqueradeExcept: ["10.244.0.0/16"],
        device: "eth0",
      });
      running.push(agent.start(stop.signal));
    }
    await until(() => pings("p1", "10.244.2.2") && pings("p2", "10.244.1.2"));
    expect(routes("n1")).toBe("10.244.2.0/24 via 10.89.0.12");
    // Outside knows no pod networks: a pod reaches it by its node's address.
    await until(() => pings("p1", "10.89.0.1"));
    await env.client.resource(nodes).delete("n2");
    await until(() => routes("n1") === "");
    expect(pings("p1", "10.244.2.2")).toBe(false);
    expect(routes("n1", "other")).toContain("10.77.0.0/24 via 10.99.0.2");
    await env.create(node(2));
    await until(() => pings("p1", "10.244.2.2"));
  });
});
