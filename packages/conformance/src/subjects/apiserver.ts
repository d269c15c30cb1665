/**
 * Every API server there is to test: ours as a process, upstream's binary; each on an etcd of its
 * own.
 *
 * The etcd is upstream's where it is there, else etcd-lite. What was started is ended, also after
 * a failure.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, urlToHttpOptions } from "node:url";
import { execa } from "execa";
import { freePorts } from "./free-ports.ts";
import { httpsExchange } from "./https-exchange.ts";
import { findProgram, missing } from "./programs.ts";

export interface RestAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The same as it came, where somebody needs it. */
  bytes?: Uint8Array;
}

export interface RestRequest {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Bearer token; the administrator's certificate when absent. */
  token?: string;
}

export interface ApiServerInstance {
  readonly url: string;
  readonly kubeconfig: string;
  send(request: RestRequest): Promise<RestAnswer>;
  /** Lines of a stream (a watch), until `count` have come or the time is over. */
  lines(path: string, count: number, timeoutMs: number): Promise<string[]>;
  /** kill -9, for faults; the second starts it again on the same data and port. */
  killServer(): Promise<void>;
  startServer(other?: "kube-apiserver" | "apiserver"): Promise<void>;
  killStore(): Promise<void>;
  startStore(): void;
  /** PEM of its CA, and of the administrator's certificate and key. */
  credentials(): Promise<{ ca: string; cert: string; key: string }>;
  /** Where its etcd is. */
  readonly storeURL: string;
  /** The server's process, for its memory. */
  readonly pid: number;
  close(): Promise<void>;
}

/** Which program serves, with which flags, on which store. */
export interface ServerSetup {
  command: readonly string[];
  flags?: readonly string[];
  /** Upstream's etcd where it is there, when absent. */
  store?: readonly string[];
  /** The store of another server: none is started for this one. */
  storeURL?: string;
}

export interface ApiServerSubject {
  readonly name: string;
  readonly skip?: string;
  open(flags?: readonly string[]): Promise<ApiServerInstance>;
}

const source = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const node = [process.execPath, "--conditions=nanokube-source"];

export function apiServerSubjects(): ApiServerSubject[] {
  const upstream = findProgram("kube-apiserver");
  const ours = [...node, source("apiserver/src/main.ts")];
  const absent = (): Promise<never> => Promise.reject(new Error("absent"));
  return [
    { name: "apiserver", open: (flags = []) => openServer({ command: ours, flags }) },
    upstream === undefined
      ? { name: "kube-apiserver", skip: missing("kube-apiserver"), open: absent }
      : {
          name: "kube-apiserver",
          open: (flags = []) => openServer({ command: [upstream], flags }),
        },
  ];
}

export async function openServer(setup: ServerSetup): Promise<ApiServerInstance> {
  const { command, flags: more = [] } = setup;
  const dir = await mkdtemp(join(tmpdir(), "conformance-api-"));
  const [etcd, peer, port] = await freePorts(3);
  let store: Started | undefined;
  let server: Started | undefined;
  const faults = {
    async killServer() {
      await server?.stop();
    },
    async startServer(other?: "kube-apiserver" | "apiserver") {
      const program = other === undefined ? command : programOf(other);
      const usual = serverFlags(dir, faults.storeURL, port!);
      const hasFile = more.some((flag) => flag.startsWith("--authorization-config="));
      const modes = hasFile ? [] : ["--authorization-mode=Node,RBAC"];
      server = start([...program, ...usual, ...modes, ...more]);
      await ready(instance, [server]);
    },
    async killStore() {
      await store?.stop();
    },
    startStore() {
      if (setup.storeURL !== undefined) return;
      store = start(etcdCommand(dir, etcd!, peer!, setup.store));
    },
    storeURL: setup.storeURL ?? `http://127.0.0.1:${etcd}`,
    get pid() {
      return server?.child.pid ?? 0;
    },
    async close() {
      await server?.stop();
      await store?.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
  // What reaches it is added to what breaks it: a getter would not survive a copy.
  const instance: ApiServerInstance = Object.assign(faults, client(dir, port!));
  try {
    await makeKeys(dir);
    faults.startStore();
    await faults.startServer();
    return instance;
  } catch (error) {
    await faults.close();
    throw error;
  }
}

const programOf = (name: "kube-apiserver" | "apiserver"): readonly string[] =>
  name === "apiserver" ? [...node, source("apiserver/src/main.ts")] : [findProgram(name)!];

function etcdCommand(
  dir: string,
  port: number,
  peer: number,
  wanted?: readonly string[],
): string[] {
  const upstream = wanted === undefined ? findProgram("etcd") : undefined;
  const own = wanted ?? [...node, source("etcd-lite/src/main.ts")];
  const program = upstream === undefined ? own : [upstream];
  const url = `http://127.0.0.1:${port}`;
  const peerURL = `http://127.0.0.1:${peer}`;
  const flags = ["--data-dir", join(dir, "etcd"), "--listen-client-urls", url];
  flags.push("--advertise-client-urls", url, "--listen-peer-urls", peerURL);
  if (upstream !== undefined) {
    flags.push("--initial-advertise-peer-urls", peerURL, "--initial-cluster", `default=${peerURL}`);
  }
  return [...program, ...flags];
}

function serverFlags(dir: string, storeURL: string, port: number): string[] {
  const file = (name: string): string => join(dir, name);
  return [
    `--etcd-servers=${storeURL}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=10.89.0.1",
    `--cert-dir=${dir}`,
    `--tls-cert-file=${file("server.crt")}`,
    `--tls-private-key-file=${file("server.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-signing-key-file=${file("sa.key")}`,
    `--service-account-key-file=${file("sa.key")}`,
    `--token-auth-file=${file("tokens.csv")}`,
  ];
}

/** Keys are made with openssl: tests of a server need no library of ours. */
async function makeKeys(dir: string): Promise<void> {
  const run = (...argv: string[]) => execa("openssl", argv, { cwd: dir });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await run(
    "req",
    "-x509",
    ...ec,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-subj",
    "/CN=ca",
    "-days",
    "2",
  );
  await writeFile(join(dir, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const subjects = [
    ["server", "/CN=kube-apiserver"],
    ["admin", "/O=system:masters/CN=admin"],
  ] as const;
  for (const [name, subject] of subjects) {
    await run("req", ...ec, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    const sign = [
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "names",
    ];
    await run("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...sign);
  }
  await run("genrsa", "-out", "sa.key", "2048");
  await writeFile(join(dir, "tokens.csv"), 'jane-token,jane,1000,"developers"\n');
}

interface Started {
  child: ChildProcess;
  stderr(): string;
  stop(): Promise<void>;
}

function start(command: readonly string[]): Started {
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-8000);
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const killOnExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killOnExit);
  return {
    child,
    stderr: () => text,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      process.off("exit", killOnExit);
    },
  };
}

async function ready(instance: ApiServerInstance, children: readonly Started[]): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    const answer = await instance.send({ method: "GET", path: "/readyz" }).catch(() => undefined);
    if (answer?.status === 200) return;
    const dead = children.find(({ child }) => child.exitCode !== null);
    if (dead !== undefined || Date.now() > until) {
      throw new Error(`not ready: ${children.map((one) => one.stderr()).join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Reach = Pick<ApiServerInstance, "url" | "kubeconfig" | "send" | "lines" | "credentials">;

function client(dir: string, port: number): Reach {
  const url = `https://127.0.0.1:${port}`;
  const file = (name: string): string => join(dir, name);
  const kubeconfig = file("kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: url, "certificate-authority": file("ca.crt") } }],
    users: [
      {
        name: "u",
        user: { "client-certificate": file("admin.crt"), "client-key": file("admin.key") },
      },
    ],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  const written = writeFile(kubeconfig, JSON.stringify(config));
  return {
    url,
    kubeconfig,
    async send(request) {
      await written;
      return exchange(dir, url, request);
    },
    credentials: () => administrator(dir),
    lines: (path, count, timeoutMs) => readLines(dir, url + path, count, timeoutMs),
  };
}

async function administrator(dir: string) {
  const read = (name: string) => readFile(join(dir, name), "utf8");
  return { ca: await read("ca.crt"), cert: await read("admin.crt"), key: await read("admin.key") };
}

async function tlsOf(dir: string, token?: string) {
  const { ca, cert, key } = await administrator(dir);
  return token === undefined ? { ca, cert, key } : { ca };
}

async function exchange(dir: string, url: string, request: RestRequest): Promise<RestAnswer> {
  const { method, path, body, headers = {}, token } = request;
  const tls = await tlsOf(dir, token);
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const options = {
    ...urlToHttpOptions(new URL(url + path)),
    method,
    ...tls,
    agent: false as const,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  };
  return httpsExchange(options, payload);
}

async function readLines(
  dir: string,
  url: string,
  count: number,
  timeoutMs: number,
): Promise<string[]> {
  const tls = await tlsOf(dir);
  return new Promise((resolve, reject) => {
    let text = "";
    const sent = httpsRequest(url, { ...tls, agent: false });
    const finish = (): void => {
      clearTimeout(timer);
      sent.destroy();
      resolve(text.split("\n").filter(Boolean).slice(0, count));
    };
    const timer = setTimeout(finish, timeoutMs);
    sent.on("error", (error) => (text === "" ? reject(error) : finish()));
    sent.on("response", (response) => {
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split("\n").length > count) finish();
      });
      response.on("end", finish);
    });
    sent.end();
  });
}
