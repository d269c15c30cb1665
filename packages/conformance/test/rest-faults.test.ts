/**
 * The store goes and comes back, the server is killed under writes, the other server takes over.
 *
 * `npm run faults` runs the same at full size, and on kube-apiserver.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { residentBytes } from "nanokube";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { faultSettings, figure, openSubject } from "../src/faults/settings.ts";
import type { ApiServerInstance } from "../src/subjects/apiserver.ts";
import { findProgram, missing } from "../src/subjects/programs.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const settings = faultSettings();
const { watchers } = settings;
const outageMs = settings.outageSeconds * 1000;
/** Resolves when the watch has begun; `onEvent` is called for each of its events. */
function watch(session: ClientHttp2Session, onEvent: () => void): Promise<void> {
  const path = `${maps}?watch=1&labelSelector=a!=b&fieldSelector=metadata.name=heard`;
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path });
    stream.on("response", () => resolve());
    stream.on("error", reject);
    // An event is a line, and may come in pieces.
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      for (const _ of text.matchAll(/\n/g)) onEvent();
    });
  });
}

describe("faults", () => {
  let server: ApiServerInstance;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "faults-"));
    const store = findProgram("etcd") === undefined ? "etcd-lite" : "etcd";
    server = await openSubject(settings, store, directory);
  });
  afterAll(async () => {
    await server?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const create = (name: string) =>
    server.send({ method: "POST", path: maps, body: { metadata: { name }, data: { a: "1" } } });

  const late = {
    metadata: {},
    status: "Failure",
    message: "Timeout: request did not complete within the allotted timeout",
    reason: "Timeout",
    details: {},
    code: 504,
  };

  test(
    "without its store it serves what needs none, and recovers by itself",
    async () => {
      const old = await create("before");
      expect(old.status).toBe(201);
      const from = JSON.parse(old.text).metadata.resourceVersion;
      const seen = server.lines(`${maps}?watch=1&resourceVersion=${from}`, 2, 60_000 + outageMs);
      await delay(300);
      await server.killStore();
      onTestFailed(() => server.startStore());
      const refused = await server.send({
        method: "POST",
        path: `${maps}?timeout=1500ms&dryRun=All`,
        body: { metadata: { name: "refused" } },
      });
      expect([refused.status, JSON.parse(refused.text)]).toEqual([504, late]);
      const fresh = await server.send({ method: "GET", path: `${maps}/before?timeout=1500ms` });
      expect([fresh.status, JSON.parse(fresh.text)]).toEqual([504, late]);
      const path = `${maps}/before?resourceVersion=0`;
      const cached = await server.send({ method: "GET", path });
      expect([cached.status, cached.text]).toEqual([200, old.text]);
      // One behind the other: upstream answers who asks too often as it answered the last.
      const etcd = await server.send({ method: "GET", path: "/healthz/etcd" });
      expect([etcd.status, etcd.text]).toEqual([
        500,
        "internal server error: error getting data from etcd: context deadline exceeded\n",
      ]);
      const ready = await server.send({ method: "GET", path: "/readyz?exclude=etcd-readiness" });
      expect(ready.status).toBe(500);
      expect(ready.text).toContain("[-]etcd failed: reason withheld\n");
      // Who does not ask for less waits until the store is back.
      const waiting = create("during");
      await delay(outageMs);
      server.startStore();
      expect((await waiting).status).toBe(201);
      expect((await create("after")).status).toBe(201);
      expect((await server.send({ method: "GET", path: "/readyz" })).status).toBe(200);
      const names = (await seen).map((line) => JSON.parse(line).object.metadata.name);
      expect(names).toEqual(["during", "after"]);
    },
    120_000 + outageMs,
  );

  test("thousands who watch and hear nothing cost little, and hear when there is something", async () => {
    const { ca, cert, key } = await server.credentials();
    const open = () => connect(server.url, { ca, cert, key });
    const before = residentBytes(server.pid);
    const sessions = Array.from({ length: Math.ceil(watchers / 100) }, open);
    let heard = 0;
    const opened = sessions.flatMap((session, i) => {
      session.on("error", () => undefined);
      const count = Math.min(100, watchers - i * 100);
      return Array.from({ length: count }, () => watch(session, () => heard++));
    });
    await Promise.all(opened);
    const each = (residentBytes(server.pid) - before) / watchers / 1024;
    figure(`memory of each of ${watchers} idle watchers`, each, "KiB");
    // Upstream holds 60 to 80 KiB for one: two goroutines, their stacks and channels.
    if (settings.subject === "apiserver") expect(each).toBeLessThan(60);
    expect((await create("heard")).status).toBe(201);
    await expect.poll(() => heard, { timeout: 60_000 }).toBe(watchers);
    for (const session of sessions) session.destroy();
    expect((await server.send({ method: "GET", path: "/readyz" })).status).toBe(200);
  }, 120_000);

  const upstream = findProgram("kube-apiserver");
  test.skipIf(upstream === undefined || findProgram("etcd") === undefined)(
    upstream === undefined ? missing("kube-apiserver") : "kube-apiserver takes over, and back",
    async () => {
      const service = { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } };
      const services = "/api/v1/namespaces/default/services";
      const made = await server.send({ method: "POST", path: services, body: service });
      expect(made.status).toBe(201);
      await server.killServer();
      await server.startServer("kube-apiserver");
      const seen = await server.send({ method: "GET", path: `${services}/s` });
      expect(JSON.parse(seen.text)).toEqual(JSON.parse(made.text));
      const theirs = await server.send({
        method: "POST",
        path: maps,
        body: { metadata: { name: "theirs" } },
      });
      expect(theirs.status).toBe(201);
      await server.killServer();
      await server.startServer();
      const back = await server.send({ method: "GET", path: `${maps}/theirs` });
      expect(JSON.parse(back.text)).toEqual(JSON.parse(theirs.text));
      const roles = await server.send({
        method: "GET",
        path: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      });
      expect(roles.status).toBe(200);
    },
    90_000,
  );
});
