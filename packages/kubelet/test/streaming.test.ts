/** exec over WebSocket v5 and port-forward through the tunnel, as kubectl and the API server send them. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { createCriEmbedded } from "@nanokube/cri-embedded";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { createClient, cri } from "@nanokube/rpc";
import { dialSpdy, SpdySession } from "@nanokube/rpc/streaming";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { parseWishes, serveCommand, servePortForward } from "../src/io/server/streaming.ts";

const base = { clock: systemClock, random: systemRandom, log: nullLog };
const dir = mkdtempSync(join(tmpdir(), "nk-stream-"));
const embedded = createCriEmbedded({ ...base, rootDir: dir, isolation: "plain" });
const runtime = createClient(embedded.server.memory(), cri.RuntimeService);
const web = createServer();
let containerId = "";
let podSandboxId = "";
let at = "";

beforeAll(async () => {
  const images = createClient(embedded.server.memory(), cri.ImageService);
  await images.pullImage({ image: { image: "busybox" } });
  const config = { metadata: { name: "p", namespace: "d", uid: "u" } };
  ({ podSandboxId } = await runtime.runPodSandbox({ config }));
  const container = {
    metadata: { name: "c" },
    image: { image: "busybox" },
    command: ["sleep", "1000"],
  };
  ({ containerId } = await runtime.createContainer({
    podSandboxId,
    config: container,
    sandboxConfig: config,
  }));
  await runtime.startContainer({ containerId });
  web.on("upgrade", (message, socket, head) => {
    const url = new URL(message.url ?? "/", "http://x");
    const upgrade = { request: message, socket, head };
    if (url.pathname === "/portForward") {
      void servePortForward(upgrade, async () => (await runtime.portForward({ podSandboxId })).url);
      return;
    }
    const wishes = parseWishes(url.searchParams);
    const cmd = url.searchParams.getAll("command");
    void serveCommand(
      upgrade,
      wishes,
      async () => (await runtime.exec({ containerId, cmd, ...wishes })).url,
    );
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  at = `127.0.0.1:${(web.address() as AddressInfo).port}`;
});

afterAll(async () => {
  web.closeAllConnections();
  web.close();
  await embedded.close();
  rmSync(dir, { recursive: true, force: true });
});

const execPath = (command: string[], more = "") =>
  `/exec?${command.map((word) => `command=${encodeURIComponent(word)}`).join("&")}&output=1&error=1${more}`;

interface Heard {
  stdout: string;
  stderr: string;
  status: { status?: string; details?: { causes?: object[] } };
  protocol: string;
}

function over(
  protocols: string[],
  path: string,
  talk: (socket: WebSocket) => void = () => {},
): Promise<Heard> {
  const { promise, resolve, reject } = Promise.withResolvers<Heard>();
  const socket = new WebSocket(`ws://${at}${path}`, protocols);
  const channels: Buffer[][] = [[], [], [], [], []];
  socket.on("open", () => talk(socket));
  socket.on("message", (data: Buffer) => channels[data[0]!]!.push(data.subarray(1)));
  socket.on("error", reject);
  socket.on("close", () => {
    const text = (channel: number) => Buffer.concat(channels[channel]!).toString();
    const status = JSON.parse(text(3) || "{}");
    resolve({ stdout: text(1), stderr: text(2), status, protocol: socket.protocol });
  });
  return promise;
}

describe("exec over WebSocket", () => {
  test("v5: output, exit code", async () => {
    const path = execPath(["sh", "-c", "echo out; echo err >&2; exit 7"]);
    const heard = await over(["v5.channel.k8s.io", "v4.channel.k8s.io"], path);
    expect(heard).toMatchObject({
      stdout: "out\n",
      stderr: "err\n",
      protocol: "v5.channel.k8s.io",
    });
    expect(heard.status.details?.causes).toEqual([{ reason: "ExitCode", message: "7" }]);
  });

  test("v5: closing stdin ends what reads it", async () => {
    const heard = await over(["v5.channel.k8s.io"], execPath(["cat"], "&input=1"), (socket) => {
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(200_000, "x")]));
      socket.send(Buffer.from([255, 0]));
    });
    expect([heard.stdout.length, heard.status.status]).toEqual([200_000, "Success"]);
  });

  test("v4 still works", async () => {
    const heard = await over(["v4.channel.k8s.io"], execPath(["echo", "old"]));
    expect(heard).toMatchObject({ stdout: "old\n", status: { status: "Success" } });
  });

  test("an unknown protocol is refused before a command runs, so that the client can try another", async () => {
    await expect(over(["v9.channel.k8s.io"], execPath(["echo"]))).rejects.toThrow("400");
  });

  test("nothing asked for is refused", async () => {
    await expect(over(["v5.channel.k8s.io"], "/exec?command=echo")).rejects.toThrow("400");
  });
});

test("exec over SPDY passes through", async () => {
  const { session, protocol } = await dialSpdy(`http://${at}${execPath(["echo", "spdy"])}`, [
    "v4.channel.k8s.io",
  ]);
  const [error, stdout] = await Promise.all(
    ["error", "stdout", "stderr"].map((streamType) => session.openStream({ streamType })),
  );
  const read = async (stream: AsyncIterable<Buffer>) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  expect(await read(stdout!)).toBe("spdy\n");
  expect(JSON.parse(await read(error!))).toMatchObject({ status: "Success" });
  expect(protocol).toBe("v4.channel.k8s.io");
  session.close();
});

/** A WebSocket of the tunnel's protocol by hand: the library takes no name with a slash. */
async function tunnel(): Promise<Duplex> {
  const protocol = "SPDY/3.1+portforward.k8s.io";
  const sent = request(`http://${at}/portForward`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"),
      "sec-websocket-protocol": protocol,
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  sent.on("error", reject);
  sent.on("response", (answer) => reject(new Error(`answered ${answer.statusCode}`)));
  sent.on("upgrade", (answer, socket) => {
    expect(answer.headers["sec-websocket-protocol"]).toBe(protocol);
    let rest = Buffer.alloc(0);
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        // Final, binary, masked with zeros, 16 bits of length.
        const head = Buffer.from([0x82, 0xfe, chunk.length >> 8, chunk.length & 255, 0, 0, 0, 0]);
        socket.write(Buffer.concat([head, chunk]), () => done());
      },
    });
    socket.on("data", (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 2) {
        const short = rest[1]! & 127;
        const start = short === 126 ? 4 : 2;
        const length = short === 126 ? rest.readUInt16BE(2) : short;
        if (rest.length < start + length) return;
        if ((rest[0]! & 15) === 2) wire.push(rest.subarray(start, start + length));
        rest = rest.subarray(start + length);
      }
    });
    wire.on("close", () => socket.destroy());
    resolve(wire);
  });
  sent.end();
  return promise;
}

test("port-forward: SPDY inside WebSocket messages reaches the pod's port", async () => {
  const { status } = await runtime.podSandboxStatus({ podSandboxId });
  const echo = createTcpServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, status!.network!.ip, resolve));
  const port = String((echo.address() as AddressInfo).port);
  const wire = await tunnel();
  const session = new SpdySession(wire, { server: false });
  await session.openStream({ streamType: "error", port, requestID: "1" });
  const data = await session.openStream({ streamType: "data", port, requestID: "1" });
  data.write("ping");
  const answer = await new Promise<Buffer>((resolve) => data.once("data", resolve));
  expect(answer.toString()).toBe("ping");
  session.close();
  wire.destroy();
  await new Promise((resolve) => echo.close(resolve));
});
