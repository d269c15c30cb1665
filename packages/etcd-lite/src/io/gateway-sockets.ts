/**
 * The JSON gateway over a WebSocket: each message that comes is a request, each line of the answer
 * is a message. The call ends when the socket does, and the other way round.
 *
 * `Sec-WebSocket-Protocol: Bearer, TOKEN` stands for the authorization that pages cannot send.
 * Source  github.com/tmc/grpc-websocket-proxy wsproxy/websocket_proxy.go; etcd v3.6 embed/serve.go
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpHandler, PlainRequest, WebSocketHandler } from "@nanokube/rpc";
import type { WebSocket } from "ws";
import { JsonSplitter } from "../core/gateway/split-json.ts";

export function createGatewaySockets(handler: HttpHandler): WebSocketHandler {
  return {
    isFor: (path) => /^\/v3(beta)?\//.test(path),
    serve(request, socket, head) {
      accept(request, socket, head).then(
        (accepted) => answer(handler, accepted, request),
        () => socket.destroy(),
      );
    },
  };
}

/** Only who has such a client pays for loading it. */
async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
  const { WebSocketServer } = await import("ws");
  const handleProtocols = (offered: Set<string>) => (offered.has("Bearer") ? "Bearer" : false);
  const server = new WebSocketServer({ noServer: true, handleProtocols });
  return new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
}

async function answer(handler: HttpHandler, socket: WebSocket, request: IncomingMessage) {
  const abort = new AbortController();
  const incoming = new Incoming();
  socket.on("message", (data) => incoming.push(`${data}\n`));
  socket.on("error", () => {});
  socket.on("close", () => {
    incoming.end();
    abort.abort();
  });
  const response = await handler(plainRequest(request, incoming, abort.signal));
  const { body } = response;
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces) {
    for (const line of Buffer.from(piece).toString().split("\n"))
      if (line !== "") socket.send(line);
  }
  socket.close();
}

function plainRequest(
  { url = "/", headers }: IncomingMessage,
  incoming: Incoming,
  signal: AbortSignal,
): PlainRequest {
  const { origin, referer, host } = headers;
  const offered = headers["sec-websocket-protocol"];
  const authorization = offered?.replace(/^Bearer,\s*/, "Bearer ");
  return {
    method: "POST",
    path: url,
    headers: { host, origin, referer, authorization },
    body: () => incoming.first(),
    chunks: () => incoming,
    signal,
  };
}

/** What the client sends, for whoever reads it. */
class Incoming implements AsyncIterable<Buffer> {
  readonly #pieces: Buffer[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  push(text: string): void {
    this.#pieces.push(Buffer.from(text));
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** A call of one request does not wait for the end. */
  async first(): Promise<Buffer> {
    const splitter = new JsonSplitter();
    for await (const piece of this) {
      const [value] = splitter.push(piece.toString());
      if (value !== undefined) return Buffer.from(value);
    }
    return Buffer.from(splitter.end().join());
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#isOver) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
