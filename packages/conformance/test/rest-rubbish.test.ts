/**
 * Rubbish: mutated JSON, YAML, protobuf and CBOR bodies, broken paths, queries and HTTP. Whatever
 * comes, the answer is a refusal or an object, never a failure of the server, and its memory stays.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { encodeEnvelope, encodeProtobuf } from "@nanokube/machinery";
import { residentBytes } from "nanokube";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const rounds = 200;
const seed = "rubbish-1";
let server: ApiServerInstance;
beforeAll(async () => {
  server = await apiServerSubjects()[0]!.open();
}, 90_000);
afterAll(() => server?.close());

/** The same numbers for the same seed. */
function numbers(name: string): (below: number) => number {
  let counter = 0;
  return (below) => {
    const digest = createHash("sha256").update(`${seed}/${name}/${counter++}`).digest();
    return digest.readUInt32BE(0) % below;
  };
}

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", labels: { a: "b" } },
  spec: { containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] },
};
const bodies: Record<string, Buffer> = {
  "application/json": Buffer.from(JSON.stringify(pod)),
  "application/yaml": Buffer.from(JSON.stringify(pod, null, 2)),
  "application/vnd.kubernetes.protobuf": Buffer.from(
    encodeEnvelope("v1", "Pod", encodeProtobuf("io.k8s.api.core.v1.Pod", pod)),
  ),
  // {"apiVersion": "v1", "kind": "Pod"} behind its tag; behind a feature gate, and off.
  "application/cbor": Buffer.from("d9d9f7a24a61706956657273696f6e427631446b696e6443506f64", "hex"),
};

function mutated(body: Buffer, next: (below: number) => number): Buffer {
  const copy = Buffer.from(body);
  for (let i = 0; i <= next(4); i++) {
    const at = next(copy.length);
    const how = next(3);
    if (how === 0) copy[at] = next(256);
    if (how === 1) copy.copyWithin(at, next(copy.length));
    if (how === 2) return Buffer.concat([copy.subarray(0, at), copy.subarray(next(copy.length))]);
  }
  return copy;
}

/** Bytes as they are: the subject's client would make text of them. */
async function sendRaw(text: Buffer): Promise<string> {
  const dir = dirname(server.kubeconfig);
  const read = (name: string) => readFile(join(dir, name));
  const { hostname, port } = new URL(server.url);
  const tls = {
    cert: await read("admin.crt"),
    key: await read("admin.key"),
    ca: await read("ca.crt"),
  };
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      ...tls,
      ALPNProtocols: ["http/1.1"],
    });
    let answer = "";
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}

const post = (type: string, body: Buffer): Buffer => {
  const head = `POST /api/v1/namespaces/default/pods HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
};
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

test.each(Object.keys(bodies))(
  "mutated %s is refused or stored",
  async (type) => {
    const next = numbers(type);
    const before = residentBytes(server.pid);
    const failures: string[] = [];
    // What no reader looks at needs fewer looks.
    const count = type === "application/cbor" ? rounds / 5 : rounds;
    for (let i = 0; i < count; i += 20) {
      const sent = Array.from({ length: 20 }, () => mutated(bodies[type]!, next));
      const answers = await Promise.all(sent.map((body) => sendRaw(post(type, body))));
      for (const [index, answer] of answers.entries()) {
        const status = statusOf(answer);
        if (status >= 200 && status < 500) continue;
        failures.push(
          `${JSON.stringify(sent[index]!.toString("latin1"))}: ${answer.slice(0, 300)}`,
        );
      }
    }
    expect(failures).toEqual([]);
    expect((await server.send({ method: "GET", path: "/livez" })).status).toBe(200);
    expect(residentBytes(server.pid) - before).toBeLessThan(300 * 2 ** 20);
  },
  120_000,
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
  for (const path of paths) {
    const answer = await sendRaw(
      Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    expect([path, statusOf(answer) >= 200 && statusOf(answer) < 500]).toEqual([path, true]);
  }
}, 60_000);

test("what is no HTTP ends the connection and nothing else", async () => {
  const next = numbers("http");
  for (let i = 0; i < 40; i++) {
    await sendRaw(Buffer.from(Array.from({ length: 1 + next(300) }, () => next(256))));
  }
  await sendRaw(Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(200_000)}\r\n\r\n`));
  const tooMuch = Buffer.alloc(4 * 2 ** 20, "a");
  expect(statusOf(await sendRaw(post("application/json", tooMuch)))).toBe(413);
  expect((await server.send({ method: "GET", path: "/livez" })).status).toBe(200);
}, 60_000);
