/**
 * A store and an API server on loopback, for tests: upstream's, or ours with the same flags. Fresh ports, a fresh directory,
 * everything gone at the end.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../conformance/src/subjects/free-ports.ts";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import type { RestConfig } from "../src/core/rest-config.ts";
import { createServingCertificate } from "./certificate.ts";

export interface UpstreamApiServer {
  config: RestConfig;
  directory: string;
  /** kube-apiserver is killed and started again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Ours, run from their sources as programs: nothing of them is imported. */
function ownProgram(name: "etcd-lite" | "apiserver"): string[] {
  const main = fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url));
  return [process.execPath, "--conditions=nanokube-source", main];
}

export type Subject = "upstream" | "own";

function programs(subject: Subject): { etcd: string[]; apiserver: string[] } {
  if (subject === "own") {
    return { etcd: ownProgram("etcd-lite"), apiserver: ownProgram("apiserver") };
  }
  return { etcd: [findUpstream("etcd")!], apiserver: [findUpstream("kube-apiserver")!] };
}

/** Both, always: one that cannot run here shows as skipped, with its reason. */
export const subjects = [
  { subject: "upstream" as Subject, name: "kube-apiserver", missing: missingUpstream() },
  { subject: "own" as Subject, name: "apiserver", missing: undefined },
].map((one) => ({
  ...one,
  name: one.missing ? `${one.name} (skipped: ${one.missing})` : one.name,
}));

/** Why the test cannot run here; undefined when it can. */
export function missingUpstream(): string | undefined {
  return missingReason("etcd", "kube-apiserver");
}

export async function startUpstream(
  flags: readonly string[] = [],
  subject: Subject = "upstream",
): Promise<UpstreamApiServer> {
  const { etcd, apiserver: program } = programs(subject);
  const directory = await mkdtemp(join(tmpdir(), "nanokube-upstream-"));
  const [etcdPort, peerPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcdURL = `http://127.0.0.1:${etcdPort}`;
  const processes: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(processes.splice(0).map(end));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    processes.push(
      run([
        ...etcd,
        `--data-dir=${join(directory, "etcd")}`,
        `--listen-client-urls=${etcdURL}`,
        `--advertise-client-urls=${etcdURL}`,
        `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
        ...(subject === "upstream" ? ["--unsafe-no-fsync"] : []),
      ]),
    );
    const args = await apiserverFlags(directory, etcdURL, port);
    const start = () => run([...program, ...args, ...flags]);
    let apiserver = start();
    processes.push(apiserver);
    const server = `https://127.0.0.1:${port}`;
    const ready = async () => {
      await waitFor(() => isReady(port), apiserver);
      return readFile(join(directory, "certs/serving.crt"), "utf8");
    };
    const caData = await ready();
    return {
      config: { server, caData, token: "admin" },
      directory,
      stop,
      restart: async () => {
        processes.splice(processes.indexOf(apiserver), 1);
        await end(apiserver);
        apiserver = start();
        processes.push(apiserver);
        await ready();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function apiserverFlags(directory: string, etcdURL: string, port: number): Promise<string[]> {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const serving = await createServingCertificate();
  const certs = join(directory, "certs");
  await mkdir(certs);
  await writeFile(join(certs, "serving.crt"), serving.cert);
  await writeFile(join(certs, "serving.key"), serving.key, { mode: 0o600 });
  await writeFile(join(directory, "sa.key"), privateKey, { mode: 0o600 });
  await writeFile(join(directory, "tokens.csv"), 'admin,admin,admin,"system:masters"\n', {
    mode: 0o600,
  });
  return [
    `--etcd-servers=${etcdURL}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--tls-cert-file=${join(certs, "serving.crt")}`,
    `--tls-private-key-file=${join(certs, "serving.key")}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    `--service-account-key-file=${join(directory, "sa.key")}`,
    `--service-account-signing-key-file=${join(directory, "sa.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=RBAC",
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    "--allow-privileged",
  ];
}

function run([program, ...args]: readonly string[]): ChildProcess {
  const child = spawn(program!, args, { stdio: ["ignore", "ignore", "pipe"] });
  let tail = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-4000);
  });
  return Object.assign(child, { tail: () => tail });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function isReady(port: number): Promise<boolean> {
  const { request } = await import("node:https");
  return new Promise((resolve) => {
    const probe = request(
      {
        host: "127.0.0.1",
        port,
        path: "/readyz",
        rejectUnauthorized: false,
        headers: { authorization: "Bearer admin" },
        agent: false,
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    probe.on("error", () => resolve(false));
    probe.end();
  });
}

async function waitFor(ready: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) {
      const { tail } = child as unknown as { tail(): string };
      throw new Error(`kube-apiserver ended: ${tail()}`);
    }
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("kube-apiserver did not become ready within 60 s");
}
