/**
 * HTTPS on one port for HTTP/1.1 and HTTP/2: TLS chooses by ALPN. HTTP/1.1 is node's, HTTP/2 is the
 * framing of @nanokube/rpc, where a request costs a tenth of node's.
 *
 * Units   a body holds at most 3 MiB
 * Errors  413 for a larger body; EADDRINUSE rejects listen()
 * Source  apiserver pkg/server/secure_serving.go, pkg/endpoints/handlers/responsewriters/writers.go
 */
import type { EventEmitter } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type Server, type TLSSocket } from "node:tls";
import { type Clock, sleep } from "@nanokube/machinery";
import { type ServedSocket, serveHttp2 } from "@nanokube/rpc/http2";
import type { Handler } from "../core/handler.ts";
import type { ApiRequest, ApiResponse, Sink } from "../core/rest/context.ts";
import { toRequest } from "./api-request.ts";
import { bodyReader } from "./body.ts";
import { compressAnswer } from "./compress-answer.ts";
import { openRequest } from "./http2-request.ts";
import { type Peer, peerOf } from "./peer.ts";
import type { ServingOptions } from "./serving-flags.ts";

/** Of a request's line and headers, as Go's server takes them. */
const headerMaxBytes = 1024 * 1024;
/** Larger pieces are not worth a copy. */
const gatherMaxBytes = 64 * 1024;

/** All PEM. */
export interface ServingCertificates {
  cert: string;
  key: string;
  /** The authorities of users' and of front proxies' certificates. */
  clientCA: readonly string[];
}

export interface HttpServerOptions {
  certificates: ServingCertificates;
  handler: Handler;
  /** Large answers are sent as gzip to those who take it; they are unless told. */
  compresses?: boolean;
  serving?: ServingOptions | undefined;
  /** An HTTP/1.1 connection wants to become something else (exec, attach, port-forward). */
  upgrade(request: ApiRequest, socket: Duplex, head: Buffer, raw: IncomingMessage): void;
}

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #tls: Server;
  readonly #http = createHttpServer({
    keepAliveTimeout: 180_000,
    requestTimeout: 0,
    maxHeaderSize: headerMaxBytes,
  });
  readonly #sockets = new Set<Socket>();
  #busy = 0;
  #whenIdle: (() => void) | undefined;
  readonly #http2 = new Set<ServedSocket>();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { cert, key, clientCA } = options.certificates;
    const { minVersion = "TLSv1.2", ciphers, http2 = true } = options.serving ?? {};
    const asks = { ca: [...clientCA], requestCert: true, rejectUnauthorized: false };
    this.#tls = createTlsServer({
      cert,
      key,
      ...(clientCA.length > 0 ? asks : {}),
      ALPNProtocols: http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      minVersion,
      ...(ciphers === undefined ? {} : { ciphers }),
    });
    this.#tls.on("secureConnection", (socket) => this.#connected(socket));
    this.#tls.on("tlsClientError", () => undefined);
    this.#http.headersTimeout = 32_000;
    this.#http.on("request", (request, response) => {
      this.#serve1(request, response).catch(() => response.destroy());
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#tls.once("error", reject);
      this.#tls.listen({ host, port, backlog: 1024 }, () => {
        this.#tls.off("error", reject);
        resolve();
      });
    });
    return (this.#tls.address() as AddressInfo).port;
  }

  /** Others for connections from now on. */
  renew({ cert, key, clientCA }: ServingCertificates): void {
    this.#tls.setSecureContext({
      cert,
      key,
      ...(clientCA.length > 0 ? { ca: [...clientCA] } : {}),
    });
  }

  /** No new connections; what is being answered may finish in the time given, watches are cut. */
  async drain(clock: Clock, patienceMs: number): Promise<void> {
    this.#tls.close();
    for (const served of this.#http2) served.drain();
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
    if (this.#busy > 0) await Promise.race([idle, sleep(clock, patienceMs)]);
    await this.close();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#tls.close(() => resolve());
    });
    for (const served of this.#http2) served.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const peer = peerOf(socket);
    if (socket.alpnProtocol !== "h2") {
      peers.set(socket, peer);
      this.#http.emit("connection", socket);
      return;
    }
    const open = openRequest(peer, (request) => this.#answer(request));
    const served = serveHttp2(socket, open, (ended) => this.#http2.delete(ended), {
      streamsMax: this.#options.serving?.streamsMax ?? 250,
    });
    this.#http2.add(served);
  }

  async #serve1(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const peer = peers.get(raw.socket);
    const request = toRequest(raw.method!, raw.url!, raw.headers, {
      body: bodyReader(raw),
      signal: lazySignal(response),
      peer,
      values: (name) => raw.headersDistinct[name] ?? [],
    });
    const answer = await this.#answer(request);
    if (response.destroyed) return;
    const { body } = answer;
    if (typeof body === "function") {
      writeHead(response, answer);
      response.flushHeaders();
      body(http1Sink(response));
      return;
    }
    answer.headers["content-length"] = String(body.length);
    writeHead(response, answer);
    response.end(raw.method === "HEAD" ? undefined : body);
  }

  async #answer(request: ApiRequest): Promise<ApiResponse> {
    this.#busy++;
    try {
      return await this.#compressed(request);
    } finally {
      this.#busy--;
      // The answer itself is written in this turn of the event loop.
      if (this.#busy === 0) setImmediate(() => this.#whenIdle?.());
    }
  }

  async #compressed(request: ApiRequest): Promise<ApiResponse> {
    const { handler, compresses = true } = this.#options;
    const response = await handler(request);
    const { transportSecurity } = this.#options.serving ?? {};
    if (transportSecurity !== undefined) {
      response.headers["strict-transport-security"] ??= transportSecurity;
    }
    return compresses ? compressAnswer(request, response) : response;
  }

  #upgrade(raw: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const request = toRequest(raw.method!, raw.url!, raw.headers, {
      body: async () => new Uint8Array(),
      signal: lazySignal(socket),
      peer: peers.get(raw.socket),
      values: (name) => raw.headersDistinct[name] ?? [],
    });
    this.#options.upgrade(request, socket, head, raw);
  }
}

/** Most requests never ask whether the caller has left: only those that do pay for a signal. */
function lazySignal(connection: EventEmitter): () => AbortSignal {
  let controller: AbortController | undefined;
  let closed = false;
  connection.on("close", () => {
    closed = true;
    controller?.abort();
  });
  return () => {
    controller ??= new AbortController();
    if (closed) controller.abort();
    return controller.signal;
  };
}

/** Go knows some statuses by their older names. */
const reasons: Readonly<Record<number, string>> = { 413: "Request Entity Too Large" };

function writeHead(response: ServerResponse, { status, headers }: ApiResponse): void {
  const reason = reasons[status];
  if (reason === undefined) response.writeHead(status, headers);
  else response.writeHead(status, reason, headers);
}

/** Who stands behind an HTTP/1.1 connection. */
const peers = new WeakMap<Socket, Peer>();

/**
 * What a stream is given in one turn of the event loop leaves as one write: a burst of events costs
 * a watcher one record and one system call, not one each.
 */
function http1Sink(out: ServerResponse): Sink {
  let chunks: Uint8Array[] = [];
  let pendingBytes = 0;
  const flush = (): void => {
    if (chunks.length === 0) return;
    const gone = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, pendingBytes);
    chunks = [];
    pendingBytes = 0;
    if (!out.destroyed) out.write(gone);
  };
  return {
    write(chunk) {
      if (chunk.length > gatherMaxBytes) {
        flush();
        if (!out.destroyed) out.write(chunk);
        return;
      }
      if (chunks.push(chunk) === 1) setImmediate(flush);
      pendingBytes += chunk.length;
    },
    get pendingBytes() {
      return pendingBytes + out.writableLength;
    },
    end() {
      flush();
      out.end();
    },
    destroy: () => void out.destroy(),
  };
}
