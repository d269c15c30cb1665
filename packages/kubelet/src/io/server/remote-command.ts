/**
 * exec and attach over WebSocket, carried to the runtime over SPDY.
 *
 * kubectl speaks `v5.channel.k8s.io` first: each message begins with its channel's number, and
 * channel 255 closes another one, which older protocols can't (so `kubectl cp` ends its tar).
 * Runtimes speak SPDY with one stream per channel, where half-closing stdin is natural.
 *
 * Channels  0 stdin · 1 stdout · 2 stderr · 3 error (a Status) · 4 resize · 255 close
 * Source    k8s.io/client-go/tools/remotecommand/websocket.go, v4.go; pkg/kubelet/server
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { dialSpdy, type SpdyStream } from "@nanokube/rpc/streaming";
import { type WebSocket, WebSocketServer } from "ws";

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What we can speak, best first. */
const PROTOCOLS = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "base64.channel.k8s.io",
] as const;
const RUNTIME_PROTOCOLS = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
];

export interface StreamWishes {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

export const chooseProtocol = (offered: Iterable<string>): string | undefined => {
  const wanted = new Set(offered);
  return wanted.size === 0 ? "" : PROTOCOLS.find((name) => wanted.has(name));
};

interface Wire {
  send(channel: number, data: Uint8Array): void;
  decode(message: Buffer): { channel: number; data: Buffer } | undefined;
  closes: boolean;
}

function wireOf(socket: WebSocket, protocol: string): Wire {
  const base64 = protocol.includes("base64");
  return {
    closes: protocol.startsWith("v5."),
    send(channel, data) {
      if (socket.readyState !== socket.OPEN) return;
      if (base64) socket.send(String(channel) + Buffer.from(data).toString("base64"));
      else socket.send(Buffer.concat([Buffer.from([channel]), data]));
    },
    decode(message) {
      if (message.length === 0) return undefined;
      if (!base64) return { channel: message[0]!, data: message.subarray(1) };
      const text = message.toString();
      return { channel: Number(text[0]), data: Buffer.from(text.slice(1), "base64") };
    },
  };
}

interface RuntimeStreams {
  error: SpdyStream;
  stdin?: SpdyStream;
  stdout?: SpdyStream;
  stderr?: SpdyStream;
  resize?: SpdyStream;
}

/** Backpressure: a reader that is slow must slow the runtime, not fill our memory. */
const BUFFERED_MAX = 1 << 20;

export async function copyOut(stream: SpdyStream, socket: WebSocket, send: (data: Buffer) => void) {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    send(chunk);
    while (socket.bufferedAmount > BUFFERED_MAX && socket.readyState === socket.OPEN) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function copyIn(socket: WebSocket, wire: Wire, streams: RuntimeStreams): void {
  socket.on("message", (message: Buffer) => {
    const frame = wire.decode(message);
    if (frame === undefined) return;
    const { channel, data } = frame;
    if (channel === CHANNEL.stdin && streams.stdin?.writable === true) {
      if (data.length > 0 && !streams.stdin.write(data)) {
        socket.pause();
        streams.stdin.once("drain", () => socket.resume());
      }
    } else if (channel === CHANNEL.resize) streams.resize?.write(data);
    else if (channel === CHANNEL.close && wire.closes && data[0] === CHANNEL.stdin) {
      streams.stdin?.end();
    }
  });
  socket.on("close", () => streams.stdin?.end());
  socket.resume();
}

/** Since v4 the end is told as a Status; before, a failure is a text and success is silence. */
function lastWord(protocol: string, said: Buffer): Buffer | undefined {
  if (/^v[45]\./.test(protocol)) {
    return said.length > 0 ? said : Buffer.from('{"metadata":{},"status":"Success"}');
  }
  if (said.length === 0) return undefined;
  try {
    const status = JSON.parse(said.toString()) as { status?: string; message?: string };
    return status.status === "Success" ? undefined : Buffer.from(status.message ?? "");
  } catch {
    return said;
  }
}

/** Carries one exec or attach until both ends are done. */
export async function bridgeCommand(
  socket: WebSocket,
  protocol: string,
  url: string,
  wishes: StreamWishes,
): Promise<void> {
  const { session } = await dialSpdy(url, RUNTIME_PROTOCOLS);
  const open = (streamType: string) => session.openStream({ streamType });
  const streams: RuntimeStreams = {
    error: await open("error"),
    ...(wishes.stdin ? { stdin: await open("stdin") } : {}),
    ...(wishes.stdout ? { stdout: await open("stdout") } : {}),
    ...(wishes.stderr && !wishes.tty ? { stderr: await open("stderr") } : {}),
    ...(wishes.tty ? { resize: await open("resize") } : {}),
  };
  const wire = wireOf(socket, protocol);
  copyIn(socket, wire, streams);
  socket.on("close", () => session.close());
  // Clients learn which channels there are by an empty message on each.
  for (const name of ["stdin", "stdout", "stderr", "error"] as const) {
    if (streams[name] !== undefined && !wire.closes) wire.send(CHANNEL[name], Buffer.alloc(0));
  }
  const status: Buffer[] = [];
  await Promise.allSettled([
    streams.stdout && copyOut(streams.stdout, socket, (data) => wire.send(CHANNEL.stdout, data)),
    streams.stderr && copyOut(streams.stderr, socket, (data) => wire.send(CHANNEL.stderr, data)),
    copyOut(streams.error, socket, (data) => status.push(data)),
  ]);
  const last = lastWord(protocol, Buffer.concat(status));
  if (last !== undefined) wire.send(CHANNEL.error, last);
  session.close();
  socket.close(1000);
}

/**
 * Makes the WebSocket. The protocol's name goes past the library, which takes tokens only, while
 * port-forward's has a slash in it.
 */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): Promise<WebSocket> {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  delete request.headers["sec-websocket-protocol"];
  server.on("headers", (headers) => {
    if (protocol !== "") headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  const { promise, resolve } = Promise.withResolvers<WebSocket>();
  server.handleUpgrade(request, socket, head, (accepted) => {
    accepted.binaryType = "nodebuffer";
    // What the client sends before the runtime's streams are there must wait, not be lost.
    accepted.pause();
    accepted.on("error", () => {});
    resolve(accepted);
  });
  return promise;
}

export function offeredWebSocketProtocols(request: IncomingMessage): string[] {
  const header = request.headers["sec-websocket-protocol"] ?? "";
  return header
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
