/**
 * Upstream's own kube-apiserver on a fresh etcd, on loopback, for as long as one recording lasts.
 *
 * Finds `kube-apiserver` and `etcd` in the cache that `npm run upstream` fills, or on PATH.
 * Everything lives in one temporary directory; `stop()` ends both processes and removes it.
 */
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";

export { findUpstream, missingReason };

import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../conformance/src/subjects/free-ports.ts";

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export interface Upstream {
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

const token = "recording-admin";

function send(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = typeof body === "string" ? body : JSON.stringify(body ?? "");
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(sent);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        rejectUnauthorized: false,
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          "content-type": "application/json",
          // Node sends the body of a DELETE without saying how long it is.
          "content-length": bytes.length,
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          let parsed: Record<string, unknown>;
          try {
            parsed = JSON.parse(text) as Record<string, unknown>;
          } catch {
            parsed = { text };
          }
          resolve({ status: response.statusCode ?? 0, body: parsed });
        });
      },
    );
    call.once("error", reject);
    call.end(bytes);
  });
}

async function waitReady(port: number, server: ChildProcess, deadlineMs: number): Promise<void> {
  const until = Date.now() + deadlineMs;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`kube-apiserver ended with ${server.exitCode}`);
    const answer = await send(port, "GET", "/readyz").catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 200)); // Its readiness has no event.
  }
  throw new Error("kube-apiserver was not ready in time");
}

export async function startUpstream(flags: string[] = []): Promise<Upstream> {
  const etcdPath = findUpstream("etcd");
  const serverPath = findUpstream("kube-apiserver");
  if (etcdPath === undefined || serverPath === undefined) {
    throw new Error("upstream's etcd and kube-apiserver are needed: npm run upstream");
  }
  const folder = mkdtempSync(join(tmpdir(), "nanokube-upstream-"));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(join(folder, "sa.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(folder, "sa.pub"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,1,"system:masters"\n`);

  const stdio = process.env.UPSTREAM_LOG === undefined ? "ignore" : "inherit";
  const clientURL = `http://127.0.0.1:${client}`;
  const peerURL = `http://127.0.0.1:${peer}`;
  const etcd = spawn(
    etcdPath,
    [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${clientURL}`,
      `--advertise-client-urls=${clientURL}`,
      `--listen-peer-urls=${peerURL}`,
      `--initial-advertise-peer-urls=${peerURL}`,
      `--initial-cluster=default=${peerURL}`,
      "--unsafe-no-fsync",
    ],
    { stdio },
  );
  const server = spawn(
    serverPath,
    [
      `--etcd-servers=${clientURL}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, "certs")}`,
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      `--service-account-key-file=${join(folder, "sa.pub")}`,
      `--service-account-signing-key-file=${join(folder, "sa.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--authorization-mode=Node,RBAC",
      "--endpoint-reconciler-type=none",
      ...flags,
    ],
    { stdio },
  );
  const stop = async (): Promise<void> => {
    for (const child of [server, etcd]) {
      child.kill("SIGKILL");
      await ended(child);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitReady(port, server, 90_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { send: (...call) => send(port, ...call), stop };
}
