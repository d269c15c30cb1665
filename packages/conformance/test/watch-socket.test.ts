/**
 * A watch over a WebSocket on ours and on kube-apiserver: the same messages, the same refusals, and
 * frames that are none cost their own connection.
 */
import { createSeededRandom } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { sayToServer } from "../src/faults/say-raw.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const origin = "https://127.0.0.1";

interface Heard {
  /** What each message was, and what it said. */
  messages: { isBinary: boolean; bytes: Buffer }[];
  /** Of a refusal, with its text. */
  status?: number;
  text?: string;
  code?: number;
}

/** Listens until it is closed, by either side. */
async function listen(
  server: ApiServerInstance,
  path: string,
  headers: Record<string, string> = { origin },
): Promise<{ heard: Heard; socket: WebSocket; closed: Promise<void> }> {
  const url = server.url.replace("https", "wss") + path;
  const socket = new WebSocket(url, { ...(await server.credentials()), headers });
  const heard: Heard = { messages: [] };
  socket.on("message", (bytes: Buffer, isBinary) => heard.messages.push({ isBinary, bytes }));
  socket.on("unexpected-response", (_, response) => {
    heard.status = response.statusCode!;
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("close", () => {
      heard.text = Buffer.concat(chunks).toString();
      socket.terminate();
    });
  });
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on("close", (code) => {
      heard.code = code;
      resolve();
    });
  });
  return { heard, socket, closed };
}

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  let server: ApiServerInstance;
  beforeAll(async () => {
    if (skip !== undefined) return;
    server = await open();
    const body = { metadata: { name: "seen" }, data: { a: "1" } };
    await expect(send("POST", maps, body)).resolves.toBe(201);
  }, 120_000);
  afterAll(() => server?.close());

  const send = async (method: string, path: string, body?: unknown) =>
    (await server.send({ method, path, body })).status;
  const watch = `${maps}?watch=true&fieldSelector=metadata.name=seen`;

  test.skipIf(skip)("an event is a message of text, and ends as a line does", async () => {
    const { heard, socket, closed } = await listen(server, watch);
    await expect.poll(() => heard.messages.length, { timeout: 60_000 }).toBe(1);
    await send("DELETE", `${maps}/seen`);
    await expect.poll(() => heard.messages.length, { timeout: 60_000 }).toBe(2);
    const [first, last] = heard.messages.map(({ bytes }) => JSON.parse(bytes.toString()));
    expect([first.type, last.type]).toEqual(["ADDED", "DELETED"]);
    expect(first.object).toMatchObject({ kind: "ConfigMap", data: { a: "1" } });
    expect(heard.messages.map(({ isBinary }) => isBinary)).toEqual([false, false]);
    expect(heard.messages[0]!.bytes.toString()).toMatch(/^\{.*\}\n$/);
    socket.close();
    await closed;
    await send("POST", maps, { metadata: { name: "seen" }, data: { a: "1" } });
  });

  test.skipIf(skip)("protobuf is a message of bytes, without a length in front", async () => {
    const headers = { origin, accept: "application/vnd.kubernetes.protobuf;stream=watch" };
    const { heard, socket, closed } = await listen(server, watch, headers);
    await expect.poll(() => heard.messages.length, { timeout: 60_000 }).toBe(1);
    const [{ isBinary, bytes }] = heard.messages as [{ isBinary: boolean; bytes: Buffer }];
    expect([isBinary, bytes.toString("latin1", 0, 7)]).toEqual([true, "\n\x05ADDED"]);
    expect(bytes.includes("k8s\0")).toBe(true);
    socket.close();
    await closed;
  });

  test.skipIf(skip)("it ends when its time is over", async () => {
    const { heard, closed } = await listen(server, `${watch}&timeoutSeconds=1`);
    await closed;
    expect([heard.messages.length, heard.code]).toEqual([1, 1000]);
  });

  test.skipIf(skip)("what is refused is refused as a plain answer", async () => {
    const bad = await listen(server, `${maps}?watch=true&labelSelector=%28`);
    await bad.closed;
    expect([bad.heard.status, JSON.parse(bad.heard.text!).reason]).toEqual([400, "BadRequest"]);
    const nobody = await listen(server, watch, {});
    await nobody.closed;
    expect([nobody.heard.status, nobody.heard.text]).toEqual([403, ""]);
  });

  test.skipIf(skip)("frames that are none cost their own connection", async () => {
    const random = createSeededRandom(1);
    const lines = ["Host: x", "Connection: Upgrade", "Upgrade: websocket", `Origin: ${origin}`];
    lines.push("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
    const head = Buffer.from([`GET ${watch} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    const rubbish = () => Buffer.from(random.bytes(1 + Math.floor(random.next() * 200)));
    const talks = Array.from({ length: 60 }, () => {
      const then = (heard: Buffer) => (heard.includes("\r\n\r\n") ? rubbish() : undefined);
      return sayToServer(server, head, { protocol: "http/1.1", silenceMs: 500, then });
    });
    for (const heard of await Promise.all(talks))
      expect(heard.toString()).toMatch(/^HTTP\/1.1 101 /);
    expect(await send("GET", "/livez")).toBe(200);
  });
});
