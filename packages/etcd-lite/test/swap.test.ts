/**
 * Upstream's API server on three members of etcd-lite: objects made, watched and compacted while
 * the members are restarted one by one. Nothing is lost, nothing is told twice.
 *
 *     NANOKUBE_SWAP_OBJECTS=5000 npx vitest run packages/etcd-lite/test/swap
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, dial, etcd } from "@nanokube/rpc";
import { afterAll, expect, test } from "vitest";
import { freePorts } from "../../conformance/src/subjects/free-ports.ts";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const objects = Number(process.env["NANOKUBE_SWAP_OBJECTS"] ?? 300);
const skip = missingReason("kube-apiserver") ?? false;

const directory = mkdtempSync(join(tmpdir(), "nke-swap-"));
const children = new Set<ChildProcess>();
afterAll(async () => {
  await Promise.all([...children].map((child) => end(child, "SIGKILL")));
  rmSync(directory, { recursive: true, force: true });
});

function launch(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "ignore"] });
  children.add(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exited;
}

interface Plan {
  readonly clients: readonly string[];
  readonly peers: readonly string[];
}

function launchMember({ clients, peers }: Plan, n: number): ChildProcess {
  const flags = {
    name: `m${n}`,
    "data-dir": join(directory, `m${n}`),
    "listen-client-urls": clients[n]!,
    "advertise-client-urls": clients[n]!,
    "listen-peer-urls": peers[n]!,
    "initial-advertise-peer-urls": peers[n]!,
    "initial-cluster": peers.map((url, i) => `m${i}=${url}`).join(),
    "log-level": "error",
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  return launch(process.execPath, ["--conditions=nanokube-source", main, ...args]);
}

async function untilServing(url: string): Promise<void> {
  const channel = dial(url);
  const kv = createClient(channel, etcd.KV);
  try {
    for (const untilMs = Date.now() + 120_000; ; ) {
      try {
        await kv.range({ key: Buffer.from("health") }, { waitForReady: true, timeoutMs: 5000 });
        return;
      } catch (error) {
        if (Date.now() > untilMs) throw error;
      }
    }
  } finally {
    channel.close();
  }
}

const token = "swap-test-token";

function launchApiServer(servers: readonly string[], port: number): string {
  const key = join(directory, "sa.key");
  const tokens = join(directory, "tokens.csv");
  execFileSync("openssl", ["genrsa", "-out", key, "2048"], { stdio: "ignore" });
  execFileSync("sh", ["-c", `echo '${token},admin,admin,system:masters' > ${tokens}`]);
  const flags = {
    "etcd-servers": servers.join(),
    "etcd-compaction-interval": "0",
    "secure-port": String(port),
    "bind-address": "127.0.0.1",
    "cert-dir": join(directory, "certs"),
    "service-account-key-file": key,
    "service-account-signing-key-file": key,
    "service-account-issuer": "https://swap.test",
    "token-auth-file": tokens,
    "authorization-mode": "RBAC",
    "service-cluster-ip-range": "10.96.0.0/16",
    "disable-admission-plugins": "ServiceAccount",
  };
  launch(
    findUpstream("kube-apiserver")!,
    Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
  );
  return `https://127.0.0.1:${port}`;
}

/** curl, for a certificate that the server made itself. */
function request(url: string, method = "GET", body?: unknown): Promise<string> {
  const args = ["-sk", "-X", method, "-m", "30", "-H", `Authorization: Bearer ${token}`];
  if (body !== undefined) {
    args.push("-H", "Content-Type: application/json", "-d", JSON.stringify(body));
  }
  return new Promise((resolve, reject) => {
    const child = spawn("curl", [...args, "-w", "\n%{http_code}", url]);
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.once("exit", () => {
      const at = output.lastIndexOf("\n");
      const status = Number(output.slice(at + 1));
      if (status >= 200 && status < 300) resolve(output.slice(0, at));
      else reject(Object.assign(new Error(output.slice(0, 300)), { status }));
    });
  });
}

/** Until it is made; that it is there already means that an answer was lost on the way. */
async function create(url: string, name: string): Promise<void> {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { name } };
  for (let attempt = 0; attempt < 60; attempt++) {
    try {
      await request(url, "POST", body);
      return;
    } catch (error) {
      if ((error as { status: number }).status === 409) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  throw new Error(`cannot create ${name}`);
}

test.skipIf(skip !== false)(
  `kube-apiserver on three members: ${objects} objects, members restarted one by one${skip ? ` (skipped: ${skip})` : ""}`,
  { timeout: 1_800_000 },
  async () => {
    const ports = await freePorts(7);
    const url = (port: number) => `http://127.0.0.1:${port}`;
    const plan = { clients: ports.slice(0, 3).map(url), peers: ports.slice(3, 6).map(url) };
    const members = [0, 1, 2].map((n) => launchMember(plan, n));
    await Promise.all(plan.clients.map(untilServing));
    const server = launchApiServer(plan.clients, ports[6]!);
    for (const untilMs = Date.now() + 300_000; ; ) {
      const isReady = await request(`${server}/readyz`).then(
        () => true,
        () => false,
      );
      if (isReady) break;
      if (Date.now() > untilMs) throw new Error("kube-apiserver is not ready");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }

    const path = `${server}/api/v1/namespaces/default/configmaps`;
    const seen = new Map<string, number>();
    const watch = spawn("curl", [
      "-skN",
      "-H",
      `Authorization: Bearer ${token}`,
      `${path}?watch=1&resourceVersion=0`,
    ]);
    children.add(watch);
    let rest = "";
    watch.stdout.on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { type, object } = JSON.parse(line);
        const { name } = object.metadata;
        if (type === "ADDED") seen.set(name, (seen.get(name) ?? 0) + 1);
      }
    });

    const names = Array.from({ length: objects }, (_, i) => `object-${i}`);
    const workers = Array.from({ length: 8 }, async (_, w) => {
      for (let i = w; i < names.length; i += 8) await create(path, names[i]!);
    });
    let compacted = 0;
    const restarts = (async () => {
      for (const n of [0, 1, 2]) {
        await end(members[n]!, n === 1 ? "SIGKILL" : "SIGTERM");
        members[n] = launchMember(plan, n);
        await untilServing(plan.clients[n]!);
        const channel = dial(plan.clients[n]!);
        const kv = createClient(channel, etcd.KV);
        const { header } = await kv.range({ key: Buffer.from("x") }, { timeoutMs: 60_000 });
        // What the API server has yet to hear of stays, also when it is slow to listen.
        const revision = header!.revision - 100;
        if (revision > compacted) await kv.compact({ revision, physical: true });
        compacted = Math.max(compacted, revision);
        channel.close();
      }
    })();
    await Promise.all([...workers, restarts]);

    const list = JSON.parse(await request(`${path}?limit=100000`));
    const found = new Set(
      list.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    );
    expect(names.filter((name) => !found.has(name))).toEqual([]);
    for (const untilMs = Date.now() + 60_000; Date.now() < untilMs; ) {
      if (names.every((name) => seen.has(name))) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(names.filter((name) => seen.get(name) !== 1)).toEqual([]);
    expect(new Set(await hashes(plan.clients)).size).toBe(1);
  },
);

/** Of every member at one revision, when all have come to it. */
async function hashes(urls: readonly string[]): Promise<number[]> {
  const channels = urls.map((url) => dial(url));
  const key = Buffer.from("x");
  const answers = await Promise.all(channels.map((c) => createClient(c, etcd.KV).range({ key })));
  const revision = Math.min(...answers.map(({ header }) => header!.revision));
  const sums = await Promise.all(
    channels.map((c) => createClient(c, etcd.Maintenance).hashKV({ revision })),
  );
  for (const channel of channels) channel.close();
  return sums.map(({ hash }) => hash);
}
