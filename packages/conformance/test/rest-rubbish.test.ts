/**
 * Rubbish: bodies of every format, broken or odd on purpose, paths, queries, HTTP/1.1 and HTTP/2
 * that break their rules. Whatever comes, the answer is a refusal or an object, never a failure of
 * the server, and its memory stays.
 *
 * `npm run faults -- --only rubbish` runs thousands of each, and the same on kube-apiserver.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { residentBytes } from "nanokube";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { brokenHttp1, brokenHttp2, randomFrames } from "../src/faults/broken-http.ts";
import { type Numbers, type RubbishKind, rubbishKinds, target } from "../src/faults/rubbish.ts";
import { sayToServer } from "../src/faults/say-raw.ts";
import { faultSettings, figure, openSubject } from "../src/faults/settings.ts";
import type { ApiServerInstance } from "../src/subjects/apiserver.ts";
import { findProgram } from "../src/subjects/programs.ts";

const settings = faultSettings();
const atOnce = 20;
/** Garbage that is not collected yet is some of it; what leaks would be more, in thousands of rounds. */
const grownMaxMiB = 500;
let directory: string;
let server: ApiServerInstance;
let session: ClientHttp2Session;

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "bins.rubbish.example.com" },
  spec: {
    group: "rubbish.example.com",
    scope: "Namespaced",
    names: { plural: "bins", singular: "bin", kind: "Bin" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema() } }],
  },
};

function schema() {
  const any = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const size = { type: "integer", "x-kubernetes-validations": [{ rule: "self < 100" }] };
  return { type: "object", properties: { spec: { type: "object", properties: { size, any } } } };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "faults-"));
  const store = findProgram("etcd") === undefined ? "etcd-lite" : "etcd";
  server = await openSubject(settings, store, directory);
  session = connect(server.url, await server.credentials());
  const api = "/api/v1/namespaces/default";
  const made = async (path: string, body: unknown) =>
    expect((await server.send({ method: "POST", path, body })).status).toBe(201);
  await served(api);
  // A pod waits for its service account: without it, each would for a second.
  await made(`${api}/serviceaccounts`, { metadata: { name: "default" } });
  await made(`${api}/configmaps`, { metadata: { name: target.name }, data: target.data });
  await made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
  const bins = "/apis/rubbish.example.com/v1/namespaces/default/bins";
  await served(bins);
  figure("resident memory before rubbish", residentBytes(server.pid) / 2 ** 20, "MiB");
}, 120_000);
afterAll(async () => {
  session?.destroy();
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

async function served(path: string): Promise<void> {
  const look = async () =>
    expect((await server.send({ method: "GET", path })).status, path).toBe(200);
  await vi.waitFor(look, { timeout: 60_000 });
}

/** The same numbers for the same seed. */
function numbers(name: string): Numbers {
  let counter = 0;
  return (below) => {
    const digest = createHash("sha256").update(`${settings.seed}/${name}/${counter++}`).digest();
    return digest.readUInt32BE(0) % below;
  };
}

/** Status and text; 0 when the server hung up. */
function send({ method, path, contentType }: RubbishKind, body: Buffer) {
  return new Promise<{ status: number; text: string }>((resolve) => {
    let status = 0;
    let text = "";
    const headers = { ":method": method, ":path": path, "content-type": contentType };
    const stream = session.request(headers);
    stream.setEncoding("utf8");
    stream.on("response", (answer) => {
      status = answer[":status"] ?? 0;
    });
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("error", () => undefined);
    stream.on("close", () => resolve({ status, text }));
    stream.end(body);
  });
}

async function expectAlive(): Promise<void> {
  expect((await server.send({ method: "GET", path: "/livez" })).status).toBe(200);
}

const isAnswer = (status: number): boolean => status >= 200 && status < 500;

/** Upstream calls what an apply names and no schema knows a failure of its own; so do we. */
const isRefusal = (status: number, text: string): boolean =>
  isAnswer(status) || (status === 500 && text.includes("failed to create typed patch object"));

test.each(rubbishKinds)(
  "$name: refused or taken",
  async (kind) => {
    const next = numbers(kind.name);
    const before = residentBytes(server.pid);
    const failures: string[] = [];
    for (let i = 0; i < settings.rounds; i += atOnce) {
      const sent = Array.from({ length: atOnce }, () => kind.make(next));
      const answers = await Promise.all(sent.map((body) => send(kind, body)));
      for (const [index, { status, text }] of answers.entries()) {
        if (isRefusal(status, text)) continue;
        const body = sent[index]!.toString("latin1").slice(0, 300);
        failures.push(`${status} ${JSON.stringify(body)}: ${text.slice(0, 300)}`);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
    await expectAlive();
    const grownMiB = (residentBytes(server.pid) - before) / 2 ** 20;
    figure(`${settings.rounds} broken bodies, ${kind.name}: memory grows by`, grownMiB, "MiB");
    expect(grownMiB).toBeLessThan(grownMaxMiB);
  },
  180_000,
);

test("broken paths and queries are refused", async () => {
  const paths = [
    "/api/v1/pods?limit=-1",
    "/api/v1/pods?limit=x",
    "/api/v1/pods?continue=%00",
    "/api/v1/pods?labelSelector=%28",
    "/api/v1/pods?fieldSelector==",
    "/api/v1/pods?resourceVersion=-5",
    "/api/v1/pods?watch=1&timeoutSeconds=x",
    "/api/v1/namespaces/%2e%2e/pods",
    "/api/v1/namespaces/%ff/pods/%00",
    `/api/v1/namespaces/default/pods/${"a".repeat(5000)}`,
    "/apis//v1/x",
    "/api/v1/watch",
    "//",
    "/%",
  ];
  const heard = await Promise.all(
    paths.map((path) =>
      sayToServer(
        server,
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
        { protocol: "http/1.1", silenceMs: 20_000 },
      ),
    ),
  );
  const statuses = heard.map((bytes) => Number(/^HTTP\/1\.1 (\d+)/.exec(String(bytes))?.[1] ?? 0));
  // Upstream calls some of them a failure of its own.
  const isFine = (status: number) =>
    isAnswer(status) || (settings.subject === "kube-apiserver" && status > 0);
  expect(paths.filter((_, i) => !isFine(statuses[i]!))).toEqual([]);
}, 60_000);

test("a body that is too large is refused", async () => {
  const head = `POST /api/v1/namespaces/default/pods HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${4 * 2 ** 20}\r\n\r\n`;
  const tooMuch = Buffer.concat([Buffer.from(head), Buffer.alloc(4 * 2 ** 20, "a")]);
  const heard = await sayToServer(server, tooMuch, { protocol: "http/1.1", silenceMs: 20_000 });
  expect(String(heard)).toMatch(/^HTTP\/1\.1 413 /);
}, 60_000);

test("what is no HTTP ends the connection and nothing else", async () => {
  const next = numbers("http");
  const talk = { protocol: "http/1.1", silenceMs: 300 } as const;
  for (let i = 0; i < settings.rounds; i += atOnce) {
    const noise = Array.from({ length: atOnce }, () =>
      Buffer.from(Array.from({ length: 1 + next(300) }, () => next(256))),
    );
    await Promise.all(noise.map((bytes) => sayToServer(server, bytes, talk)));
  }
  await expectAlive();
}, 120_000);

test("HTTP/1.1 that breaks its rules is refused, never passed on", async () => {
  const cases = brokenHttp1();
  const talk = { protocol: "http/1.1", silenceMs: 500 } as const;
  const heard = await Promise.all(cases.map(([, bytes]) => sayToServer(server, bytes, talk)));
  const failed = cases
    .filter((_, i) => /HTTP\/1\.1 (?!501|505)5\d\d/.test(String(heard[i])))
    .map(([name]) => name);
  // An encoding (501) or a version (505) that nobody has is told so, as Go's server does.
  // It calls a chunk without a size a failure of its own.
  if (settings.subject === "apiserver") expect(failed).toEqual([]);
  await expectAlive();
}, 60_000);

test("HTTP/2 that breaks its rules costs its own connection", async () => {
  const before = residentBytes(server.pid);
  const next = numbers("frames");
  const talk = { protocol: "h2", silenceMs: 300 } as const;
  for (const [, bytes] of brokenHttp2()) await sayToServer(server, bytes, talk);
  for (let i = 0; i < settings.rounds; i += atOnce) {
    const sent = Array.from({ length: atOnce }, () => randomFrames(next));
    await Promise.all(sent.map((bytes) => sayToServer(server, bytes, talk)));
  }
  await expectAlive();
  const grownMiB = (residentBytes(server.pid) - before) / 2 ** 20;
  figure("resident memory after all of it", residentBytes(server.pid) / 2 ** 20, "MiB");
  figure("broken HTTP/2 and floods of frames: memory grows by", grownMiB, "MiB");
  expect(grownMiB).toBeLessThan(grownMaxMiB);
}, 180_000);
