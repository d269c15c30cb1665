/**
 * The same Services through upstream's kube-proxy and through ours, in a network namespace each: the kernel must hold the same rules.
 *
 * Compared is what iptables-save prints. Chains that hold rules of many Services are compared as sets (upstream writes
 * them in the random order of a Go map), all others rule by rule.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import { parseSaved, RuleBook } from "../src/index.ts";
import { cases } from "./cases.ts";
import { bookOptions } from "./objects.ts";

const program = findUpstream("kube-proxy") ?? "";
const isRoot = process.getuid?.() === 0;
const why = isRoot ? (missingReason("kube-proxy") ?? "") : "needs root";

const netns = `nk-test-kpu-${process.pid}`;
const inside = (...argv: string[]) => ["nsenter", `--net=/run/netns/${netns}`, ...argv];
function sh(argv: string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), {
    encoding: "utf8",
    input,
  });
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

const node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "zone-a" } },
  spec: { podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24"] },
  status: { addresses: [{ type: "InternalIP", address: "192.168.0.2" }] },
};
const shared = new Set([
  "KUBE-SERVICES",
  "KUBE-NODEPORTS",
  "KUBE-EXTERNAL-SERVICES",
  "KUBE-PROXY-FIREWALL",
]);

/** "table chain" → its rules; counters and the packet accounting that upstream adds where the kernel has it are left out. */
function rules(saved: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let table = "";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    const chain = /^:(\S+)/.exec(line)?.[1];
    if (chain?.startsWith("KUBE-")) found.set(`${table} ${chain}`, []);
    const [, of, rule] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    if (of === undefined || rule === undefined) continue;
    // One rule more counts node ports on localhost, and one match what is dropped as invalid.
    if (rule.includes("localhost_nps_accepted_pkts")) continue;
    const plain = rule.replace(/-m nfacct --nfacct-name +\S+ /, "");
    found.set(`${table} ${of}`, [...(found.get(`${table} ${of}`) ?? []), plain]);
  }
  for (const [key, list] of found) if (shared.has(key.split(" ")[1]!)) list.sort();
  return new Map([...found].sort());
}

describe.skipIf(why !== "")("beside upstream's kube-proxy", () => {
  let dir: string;
  const children: ChildProcess[] = [];
  const reset = () => {
    spawnSync("ip", ["netns", "del", netns]);
    sh(["ip", "netns", "add", netns]);
    sh(inside("ip", "link", "set", "lo", "up"));
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "nk-test-kpu-"));
    reset();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    spawnSync("ip", ["netns", "del", netns]);
    rmSync(dir, { recursive: true });
  });
  const start = (argv: string[]) => {
    const [command, ...rest] = inside(...argv);
    const child = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    return child;
  };

  async function upstream(objects: object): Promise<string> {
    writeFileSync(join(dir, "objects.json"), JSON.stringify(objects));
    const server = fileURLToPath(new URL("./serve-objects.mjs", import.meta.url));
    const api = start([process.execPath, server, join(dir, "objects.json"), "8001"]);
    await new Promise((resolve) => api.stdout?.once("data", resolve));
    const kubeconfig = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "x",
      clusters: [{ name: "x", cluster: { server: "http://127.0.0.1:8001" } }],
      contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
      users: [{ name: "x", user: {} }],
    };
    writeFileSync(join(dir, "kubeconfig"), JSON.stringify(kubeconfig));
    const flags = [
      "--proxy-mode=iptables",
      "--hostname-override=n1",
      "--cluster-cidr=10.244.0.0/16",
    ];
    const conntrack = ["--conntrack-max-per-core=0", "--conntrack-min=0"];
    start([program, `--kubeconfig=${join(dir, "kubeconfig")}`, ...flags, ...conntrack]);
    let last = "";
    for (let i = 0; i < 100; i++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const now = sh(inside("iptables-save")).replaceAll(/#.*|\[\d+:\d+\]/g, "");
      if (now === last && now.includes("service nodeports")) return now;
      last = now;
    }
    throw new Error("upstream's kube-proxy wrote no rules");
  }

  const comparable = cases.filter((c) => c.options === undefined);
  test.for(comparable)("$name", { timeout: 60_000 }, async ({ services, slices }) => {
    const theirs = rules(await upstream({ services, endpointslices: slices, nodes: [node] }));
    for (const child of children) child.kill("SIGKILL");
    reset();
    const book = new RuleBook(bookOptions);
    book.setNode({ nodeName: "n1", zone: "zone-a", nodeIP: "192.168.0.2" });
    for (const s of services) book.setService(`default/${s.metadata?.name}`, s);
    for (const s of slices) book.setSlice(s, true);
    const { text } = book.plan(parseSaved(sh(inside("iptables-save"))));
    sh(inside("iptables-restore", "--noflush", "--counters"), text);
    const ours = rules(sh(inside("iptables-save")));
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });
});
