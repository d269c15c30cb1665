/** The program itself: kill -9 under load, one process a directory, flags, HTTP beside gRPC, TLS. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createClient, dial, etcd } from "@nanokube/rpc";
import { describe, expect, test } from "vitest";
import { freePort } from "../../conformance/src/subjects/free-ports.ts";
import { cleanups, run, temporary, urlFlags } from "./program.ts";

const text = (s: string) => Buffer.from(s);
const patient = { waitForReady: true, timeoutMs: 20_000 };

describe("kill -9", () => {
  test("under load, five times: every acknowledged write is there", async () => {
    const dataDir = temporary();
    const url = `http://127.0.0.1:${await freePort()}`;
    const acknowledged = new Map<string, number>();
    const attempted = new Map<string, number>();
    for (let round = 1; round <= 5; round++) {
      const { child, exited } = run(["--data-dir", dataDir, ...urlFlags(url)]);
      const channel = dial(url);
      const kv = createClient(channel, etcd.KV);
      await kv.range({ key: text("\0") }, patient);
      const { kvs } = await kv.range({ key: text("\0"), rangeEnd: text("\0") });
      const stored = new Map(kvs.map(({ key, value }) => [String(key), Number(value)]));
      for (const [key, value] of acknowledged) {
        expect(stored.get(key)).toBeGreaterThanOrEqual(value);
        expect(stored.get(key)).toBeLessThanOrEqual(attempted.get(key)!);
      }
      let isRunning = true;
      const writers = Array.from({ length: 20 }, async (_, writer) => {
        const key = `writer/${writer}`;
        for (let n = (attempted.get(key) ?? 0) + 1; isRunning; n++) {
          attempted.set(key, n);
          try {
            await kv.put({ key: text(key), value: text(String(n)) });
            acknowledged.set(key, n);
          } catch {
            return;
          }
        }
      });
      const before = acknowledged.get("writer/7") ?? 0;
      while ((acknowledged.get("writer/7") ?? 0) < before + 30 * round) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill("SIGKILL");
      await exited;
      isRunning = false;
      await Promise.all(writers);
      channel.close();
    }
    expect(acknowledged.size).toBe(20);
  });
});

test("a directory in use is refused; after the holder's death it is free", async () => {
  const dataDir = temporary();
  const [first, second] = [await freePort(), await freePort()];
  const holder = run(["--data-dir", dataDir, ...urlFlags(`http://127.0.0.1:${first}`)]);
  const channel = dial(`http://127.0.0.1:${first}`);
  cleanups.push(() => channel.close());
  await createClient(channel, etcd.KV).range({ key: text("a") }, patient);
  const other = run(["--data-dir", dataDir, ...urlFlags(`http://127.0.0.1:${second}`)]);
  expect(await other.exited).toBe(1);
  expect(other.output).toBe(`etcd-lite: data directory ${dataDir} is in use by another process\n`);
  holder.child.kill("SIGKILL");
  await holder.exited;
  run(["--data-dir", dataDir, ...urlFlags(`http://127.0.0.1:${second}`)]);
  const after = dial(`http://127.0.0.1:${second}`);
  cleanups.push(() => after.close());
  await createClient(after, etcd.KV).range({ key: text("a") }, patient);
});

/** A line of etcd's log in each of its formats. */
const logLine = {
  json: /^\{"level":"info","ts":"[-\d]+T[:\d]+\.\d{6}Z",.*"msg":"[^"]+"\}$/,
  console: /^[-\d]+T[:\d]+\.\d{6}Z\tinfo\t[^\t]+\t\{"[^\t]*"\}$/,
};

test("SIGTERM ends it with 0, and what was written is there next time", async () => {
  const dataDir = temporary();
  const path = join(temporary(), "etcd.sock");
  for (const [times, format] of (["json", "console"] as const).entries()) {
    const running = run([
      ...["--data-dir", dataDir, "--log-format", format, ...urlFlags(`unix://${path}`)],
    ]);
    const { child, exited } = running;
    const channel = dial(`unix://${path}`);
    const kv = createClient(channel, etcd.KV);
    const { count } = await kv.range({ key: text("k") }, patient);
    expect(count).toBe(times);
    await kv.put({ key: text("k") });
    channel.close();
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(existsSync(path)).toBe(false);
    for (const line of running.output.trim().split("\n")) expect(line).toMatch(logLine[format]);
  }
});

test.each([
  [2, ["--bogus"], "flag provided but not defined: -bogus"],
  [1, ["extra"], '"extra" is not a valid flag'],
  [1, ["--memory-mlock"], 'flag -memory-mlock is not implemented by etcd-lite (see "Left out")'],
  [
    1,
    ["--initial-cluster", "a=http://localhost:2380,b=http://localhost:2480"],
    `couldn't find local name "default" in the initial cluster configuration`,
  ],
])("it ends with %i and one line, and makes nothing: %j", async (code, flags, message) => {
  const dataDir = join(temporary(), "data");
  const refused = run(["--data-dir", dataDir, ...flags]);
  expect(await refused.exited).toBe(code);
  expect(refused.output).toBe(`etcd-lite: ${message}\n`);
  expect(existsSync(dataDir)).toBe(false);
});

test("flags come from ETCD_* too", async () => {
  const refused = run([], { ETCD_LISTEN_CLIENT_URLS: "foo" });
  expect(await refused.exited).toBe(1);
  expect(refused.output).toContain('invalid value "foo" for ETCD_LISTEN_CLIENT_URLS: URL scheme');
});

test("a port in use is one clear line", async () => {
  const port = await freePort();
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => void blocker.close(() => resolve())));
  const url = `http://127.0.0.1:${port}`;
  const refused = run(["--data-dir", temporary(), "--log-level", "error", ...urlFlags(url)]);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe(`etcd-lite: listen ${url}: bind: address already in use\n`);
});

test("HTTP/1.1, h2c and gRPC share a port", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  run(["--data-dir", temporary(), ...urlFlags(url)]);
  const channel = dial(url);
  cleanups.push(() => channel.close());
  await createClient(channel, etcd.KV).range({ key: text("a") }, patient);
  const version = await fetch(`${url}/version`);
  expect(await version.json()).toMatchObject({ etcdserver: "3.6.8" });
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ health: "true", reason: "" });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("etcd_server_has_leader 1\n");
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  const h2c = ["-s", "--http2-prior-knowledge", `${url}/version`];
  expect(execFileSync("curl", h2c).toString()).toContain("3.6.8");
});

test("TLS with client certificates: who shows none is refused", async () => {
  const at = temporary();
  const [key, cert] = [join(at, "key.pem"), join(at, "cert.pem")];
  const args =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", cert];
  execFileSync("openssl", [...args.split(" "), ...names, ...files], { stdio: "ignore" });
  const url = `https://127.0.0.1:${await freePort()}`;
  const tls = ["--cert-file", cert, "--key-file", key, "--trusted-ca-file", cert];
  run(["--data-dir", join(at, "data"), ...urlFlags(url), ...tls, "--client-cert-auth"]);
  const [ca, pem] = [readFileSync(cert), readFileSync(key)];
  const known = dial(url, { tls: { ca, cert: ca, key: pem } });
  const unknown = dial(url, { tls: { ca } });
  cleanups.push(
    () => known.close(),
    () => unknown.close(),
  );
  await createClient(known, etcd.KV).range({ key: text("a") }, patient);
  const refused = createClient(unknown, etcd.KV).range({ key: text("a") });
  await expect(refused).rejects.toMatchObject({ code: 14 });
});
