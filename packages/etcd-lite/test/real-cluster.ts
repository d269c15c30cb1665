/**
 * Three members as processes, each in a network namespace of its own: they can be killed, stopped,
 * and cut off from each other. Clients come by unix sockets, which no cut touches.
 *
 * The subject is etcd-lite, or etcd itself: what finds fault with both proves nothing.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Channel, createClient, dial, etcd } from "@nanokube/rpc";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import type { Action, Operation } from "../src/sim/linearizability.ts";

export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
}

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export const etcdLite: Subject = {
  name: "etcd-lite",
  command: [process.execPath, "--conditions=nanokube-source", main, "--log-level", "error"],
};
export const upstreamEtcd: Subject = {
  name: "etcd",
  command: [findUpstream("etcd") ?? "etcd", "--log-level", "fatal"],
};

export const hasUpstream = missingReason("etcd") === undefined;

/** Namespaces need root and `ip`. */
export const canIsolate = (() => {
  try {
    const name = `nke-probe-${process.pid}`;
    execFileSync("ip", ["netns", "add", name], { stdio: "ignore" });
    execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

interface RealMember {
  readonly name: string;
  readonly namespace: string;
  readonly socket: string;
  child: ChildProcess | undefined;
  channel: Channel;
}

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: "pipe" });

let clusterCount = 0;

export class RealCluster {
  readonly members: RealMember[] = [];
  readonly #subject: Subject;
  readonly #directory = mkdtempSync(join(tmpdir(), "nke-"));
  readonly #prefix = `nke${process.pid}-${++clusterCount}`;
  readonly #initial: string;
  readonly #count: number;
  readonly #isSecure: boolean;

  /** `isSecure`: members talk TLS and show each other certificates. */
  constructor(subject: Subject, { count = 3, isSecure = false } = {}) {
    this.#subject = subject;
    this.#count = count;
    this.#isSecure = isSecure;
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    this.#initial = numbers.map((n) => `m${n}=${this.#peerURL(n)}`).join();
  }

  #peerURL(n: number): string {
    return `${this.#isSecure ? "https" : "http"}://10.77.0.${n}:2380`;
  }

  /** One certificate for all of them. */
  #tlsFlags(): Record<string, string> {
    if (!this.#isSecure) return {};
    const [key, cert] = [join(this.#directory, "key.pem"), join(this.#directory, "cert.pem")];
    if (!existsSync(key)) {
      const names = Array.from({ length: this.#count }, (_, i) => `IP:10.77.0.${i + 1}`).join();
      const args =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=peer";
      const files = ["-addext", `subjectAltName=${names}`, "-keyout", key, "-out", cert];
      execFileSync("openssl", [...args.split(" "), ...files], { stdio: "ignore" });
    }
    return {
      "peer-cert-file": cert,
      "peer-key-file": key,
      "peer-trusted-ca-file": cert,
      "peer-client-cert-auth": "true",
    };
  }

  async start(): Promise<void> {
    const hub = `${this.#prefix}-hub`;
    ip("netns", "add", hub);
    ip("-n", hub, "link", "add", "br0", "type", "bridge");
    ip("-n", hub, "link", "set", "br0", "up");
    for (let n = 1; n <= this.#count; n++) {
      const namespace = `${this.#prefix}-m${n}`;
      ip("netns", "add", namespace);
      ip(
        "-n",
        hub,
        "link",
        "add",
        `v${n}`,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        namespace,
      );
      ip("-n", hub, "link", "set", `v${n}`, "master", "br0", "up");
      ip("-n", namespace, "addr", "add", `10.77.0.${n}/24`, "dev", "eth0");
      ip("-n", namespace, "link", "set", "eth0", "up");
      ip("-n", namespace, "link", "set", "lo", "up");
      const socket = join(this.#directory, `m${n}.sock`);
      const channel = dial(`unix://${socket}`);
      this.members.push({ name: `m${n}`, namespace, socket, child: undefined, channel });
    }
    for (const n of this.members.keys()) this.launch(n);
    await this.untilHealthy();
  }

  launch(n: number): void {
    const member = this.members[n]!;
    const peer = this.#peerURL(n + 1);
    const flags = {
      name: member.name,
      "data-dir": join(this.#directory, member.name),
      "listen-client-urls": `unix://${member.socket}`,
      "advertise-client-urls": `http://10.77.0.${n + 1}:2379`,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": this.#initial,
      "heartbeat-interval": "50",
      "election-timeout": "500",
      // So small that members that lag need snapshots.
      "snapshot-count": "200",
      ...this.#tlsFlags(),
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    rmSync(member.socket, { force: true });
    const [program, ...rest] = this.#subject.command;
    const command = ["netns", "exec", member.namespace, program!, ...rest, ...args];
    member.child = spawn("ip", command, { stdio: ["ignore", "ignore", "inherit"] });
  }

  async kill(n: number): Promise<void> {
    const { child } = this.members[n]!;
    if (child === undefined) return;
    this.members[n]!.child = undefined;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    child.kill("SIGCONT");
    await exited;
  }

  stop(n: number): void {
    this.members[n]!.child?.kill("SIGSTOP");
  }

  goOn(n: number): void {
    this.members[n]!.child?.kill("SIGCONT");
  }

  /** Down, nothing reaches the member and nothing comes from it; its clients do not notice. */
  setLink(n: number, state: "up" | "down"): void {
    ip("-n", `${this.#prefix}-hub`, "link", "set", `v${n + 1}`, state);
  }

  /** Everybody answers a read that needs the others. */
  async untilHealthy(): Promise<void> {
    const key = Buffer.from("health");
    await Promise.all(
      this.members.map(async ({ channel }) => {
        const kv = createClient(channel, etcd.KV);
        const untilMs = Date.now() + 30_000;
        for (;;) {
          try {
            await kv.range({ key }, { waitForReady: true, timeoutMs: 5000 });
            return;
          } catch (error) {
            if (Date.now() > untilMs) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      }),
    );
  }

  /** HashKV of every member at one revision. */
  async hashes(): Promise<number[]> {
    const statuses = await Promise.all(
      this.members.map(({ channel }) =>
        createClient(channel, etcd.KV).range({ key: Buffer.from("x") }),
      ),
    );
    const revision = Math.min(...statuses.map(({ header }) => header!.revision));
    return Promise.all(
      this.members.map(async ({ channel }) => {
        const maintenance = createClient(channel, etcd.Maintenance);
        return (await maintenance.hashKV({ revision })).hash;
      }),
    );
  }

  async close(): Promise<void> {
    for (const { channel } of this.members) channel.close();
    await Promise.all(this.members.map((_, n) => this.kill(n)));
    for (const namespace of [...this.members.map((m) => m.namespace), `${this.#prefix}-hub`]) {
      try {
        ip("netns", "del", namespace);
      } catch {
        // It was not made.
      }
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Clients that write down what they ask and get, until `stop` says so. */
export async function runClients(
  cluster: RealCluster,
  { count, keys, until }: { count: number; keys: readonly string[]; until: Promise<void> },
): Promise<Operation[]> {
  const history: Operation[] = [];
  let isOver = false;
  until.then(() => {
    isOver = true;
  });
  const client = async (name: number) => {
    const known = new Map<string, string | undefined>();
    for (let i = 0; !isOver; i++) {
      const member = cluster.members[Math.floor(Math.random() * cluster.members.length)]!;
      const key = keys[Math.floor(Math.random() * keys.length)]!;
      const action = chooseAction(known.get(key), `${name}-${i}`);
      const callMs = performance.now();
      try {
        const done = await carryOut(createClient(member.channel, etcd.KV), key, action);
        history.push({ key, action: done, callMs, returnMs: performance.now() });
        if (done.type === "get") known.set(key, done.result);
      } catch {
        if (action.type !== "get") {
          history.push({ key, action, callMs, returnMs: Number.POSITIVE_INFINITY });
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => client(i)));
  return history;
}

function chooseAction(expect: string | undefined, value: string): Action {
  const dice = Math.random();
  if (dice < 0.5) return { type: "get" };
  if (dice < 0.75) return { type: "put", value };
  if (dice < 0.8) return { type: "delete" };
  return { type: "swap", expect, value };
}

type KV = ReturnType<typeof createClient<typeof etcd.KV>>;

async function carryOut(kv: KV, text: string, action: Action): Promise<Action> {
  const key = Buffer.from(text);
  const patience = { timeoutMs: 1500 };
  switch (action.type) {
    case "get": {
      const { kvs } = await kv.range({ key }, patience);
      return { type: "get", result: kvs[0] === undefined ? undefined : String(kvs[0].value) };
    }
    case "put":
      await kv.put({ key, value: Buffer.from(action.value) }, patience);
      return action;
    case "delete":
      await kv.deleteRange({ key }, patience);
      return action;
    case "swap": {
      const { expect } = action;
      const compare =
        expect === undefined
          ? { key, target: 0, result: 0, version: 0 }
          : { key, target: 3, result: 0, value: Buffer.from(expect) };
      const success = [{ requestPut: { key, value: Buffer.from(action.value) } }];
      const { succeeded } = await kv.txn({ compare: [compare], success }, patience);
      return { ...action, succeeded };
    }
  }
}
